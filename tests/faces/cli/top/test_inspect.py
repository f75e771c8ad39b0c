from __future__ import annotations

import pytest
from tests.faces.cli.home import Home


@pytest.mark.parametrize("order", [("none", "vv"), ("vv", "none")])
def test_only_objects_that_fit_the_template_have_a_line(home: Home, order: tuple[str, str]) -> None:
    assert home.mille("volume", "create", "vv")[2] == 0
    out, err, code = home.mille("inspect", "-f", "{{.EnableIPv4}}", *order)
    assert (out, code) == ("true\n", 1)
    assert 'map has no entry for key "EnableIPv4"' in err
    out, err, code = home.mille("inspect", "-f", "{{.Nope}}", *order)
    assert (out, err.count("\n"), code) == ("\n", 2, 1)
    assert home.mille("inspect", "-f", "{{.Driver}}", "vv", "none")[0] == "local\nnull\n"
