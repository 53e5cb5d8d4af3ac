"""axe-core finds nothing on wide pages. With the other file each pair of language, colours and width is met once."""

import pytest
from axe import faults


@pytest.mark.parametrize("lang, colours", [("ko", "light"), ("en", "dark")])
def test_axe_finds_nothing(open_page, site_folder, lang, colours):
    assert faults(open_page, site_folder, lang, colours, width=1280) == []
