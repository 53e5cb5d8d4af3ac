"""The press: one bilingual source becomes a site, notebooks and a test of both. Readers never need it."""
