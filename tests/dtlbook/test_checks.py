"""Claims print what is expected, never what this machine measured, and stop the page if it is wrong."""

import pytest

from dtlbook.checks import claim, claim_at_least, claim_at_most


def test_the_printed_line_does_not_depend_on_the_value(capsys):
    claim("target accuracy", 0.6412, 0.62, 0.05)
    claim("target accuracy", 0.6011, 0.62, 0.05)
    one, two = capsys.readouterr().out.splitlines()
    assert one == two == "target accuracy 0.62 ± 0.05: ok"
    claim_at_least("gain", 0.21, 0.15)
    claim_at_most("difference", 3e-8, 1e-5)
    assert capsys.readouterr().out == "gain at least 0.15: ok\ndifference at most 1e-05: ok\n"


@pytest.mark.parametrize(
    "wrong, sentence",
    [
        (lambda: claim("a", 0.7, 0.62, 0.05), "^a 0.62 ± 0.05 was claimed, but this run gives 0.7$"),
        (lambda: claim("a", 0.5, 0.62, 0.05), "this run gives 0.5"),
        (lambda: claim_at_least("a", 0.1, 0.15), "^a at least 0.15 was claimed, but this run gives 0.1$"),
        (lambda: claim_at_most("a", 2.0, 1.0), "^a at most 1 was claimed, but this run gives 2$"),
        (lambda: claim("a", float("nan"), 0.62, 0.05), "not a number"),
        (lambda: claim_at_most("a", float("nan"), 1.0), "not a number"),
    ],
)
def test_a_false_claim_stops_the_page(wrong, sentence, capsys):
    with pytest.raises(AssertionError, match=sentence):
        wrong()
    assert capsys.readouterr().out == ""


def test_bounds_themselves_hold_and_a_negative_tolerance_is_refused(capsys):
    claim("a", 1.0, 1.0, 0.0)
    claim_at_least("a", 1.0, 1.0)
    claim_at_most("a", 1.0, 1.0)
    with pytest.raises(ValueError, match="tolerance must be 0 or more"):
        claim("a", 1.0, 1.0, -0.1)
