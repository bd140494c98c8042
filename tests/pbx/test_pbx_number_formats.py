"""Numbers as text, against the examples of the .NET documentation."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callhelm_threecx.pbx.culture import culture
from callhelm_threecx.pbx.dotnet_numbers import format_number
from callhelm_threecx.pbx.errors import EvaluationError

NUMBERS = [
    # the documentation's page on standard format strings
    (123.456, "C", "en-US", "$123.46"),
    (123.456, "C", "fr-FR", "123,46 €"),
    (-123.456, "C3", "", "(¤123.456)"),
    (-123.456, "C3", "en-US", "-$123.456"),
    (1234, "D", "", "1234"),
    (-1234, "D6", "", "-001234"),
    (1052.0329112756, "E", "en-US", "1.052033E+003"),
    (1052.0329112756, "e", "fr-FR", "1,052033e+003"),
    (-1052.0329112756, "e2", "en-US", "-1.05e+003"),
    (-1052.0329112756, "E2", "fr-FR", "-1,05E+003"),
    (0, "E2", "", "0.00E+000"),
    (0.00012, "E0", "", "1E-004"),
    (1234.567, "F", "en-US", "1234.57"),
    (1234.567, "F", "de-DE", "1234,57"),
    (1234, "F1", "en-US", "1234.0"),
    (-1234.56, "F4", "en-US", "-1234.5600"),
    (2.5, "F0", "", "3"),
    (0.125, "F2", "", "0.13"),
    (-0.4, "F0", "", "-0"),
    (-123.456, "G", "en-US", "-123.456"),
    (-123.456, "G", "de-DE", "-123,456"),
    (123.4546, "G4", "en-US", "123.5"),
    (-1.234567890e-25, "G", "en-US", "-1.23456789E-25"),
    (12345, "G2", "", "1.2E+04"),
    (12345, "g2", "", "1.2e+04"),
    (0.00001, "G", "", "1E-05"),
    (0.0001, "G", "", "0.0001"),
    (1e15, "", "", "1E+15"),
    (123456789012345.0, "", "", "123456789012345"),
    (1234.567, "N", "en-US", "1,234.57"),
    (1234, "N1", "en-US", "1,234.0"),
    (-1234.56, "N3", "en-US", "-1,234.560"),
    (1234567, "N0", "de-DE", "1.234.567"),
    (1, "P", "", "100.00 %"),
    (-0.39678, "P1", "", "-39.7 %"),
    (-0.39678, "P1", "fr-FR", "-39,7 %"),
    (123456789.12345678, "R", "", "123456789.12345678"),
    (255, "X", "", "FF"),
    (255, "x4", "", "00ff"),
    (-1, "X", "", "FFFFFFFF"),
    (2**40, "X", "", "10000000000"),
    (42, "", "", "42"),
    (-7, "G", "", "-7"),
    (1.0, "", "", "1"),
    (0.5, "", "de-DE", "0,5"),
    (float("nan"), "F2", "", "NaN"),
    (float("inf"), "", "", "Infinity"),
    (float("-inf"), "", "", "-Infinity"),
    # the documentation's page on custom format strings
    (1234.5678, "00000", "", "01235"),
    (0.45678, "0.00", "en-US", "0.46"),
    (0.45678, "0.00", "fr-FR", "0,46"),
    (1234.5678, "#####", "", "1235"),
    (0.45678, "#.##", "en-US", ".46"),
    (0.45678, "#.##", "fr-FR", ",46"),
    (2147483647, "##,#", "en-US", "2,147,483,647"),
    (2147483647, "##,#", "es-ES", "2.147.483.647"),
    (2147483647, "#,#,,", "en-US", "2,147"),
    (2147483647, "#,#,,", "es-ES", "2.147"),
    (0.3697, "%#0.00", "en-US", "%36.97"),
    (0.3697, "##.0 %", "en-US", "37.0 %"),
    (0.03697, "#0.00‰", "en-US", "36.97‰"),
    (987654, "#0.0e0", "", "98.8e4"),
    (1503.92311, "0.0##e+00", "", "1.504e+03"),
    (1.8901385e-16, "0.0e+00", "", "1.9e-16"),
    (987654, "\\###00\\#", "", "#987654#"),
    (68, "# 'degrees'", "", "68 degrees"),
    (12.345, "#0.0#;(#0.0#);-\\0-", "", "12.35"),
    (0, "#0.0#;(#0.0#);-\\0-", "", "-0-"),
    (-12.345, "#0.0#;(#0.0#);-\\0-", "", "(12.35)"),
    (-12.345, "#0.0#;;zero", "", "-12.35"),
    (-5, "0.0", "", "-5.0"),
    (123456, "[##-##-##]", "", "[12-34-56]"),
    (1234567890, "(###) ###-####", "", "(123) 456-7890"),
    (0.001, "0.0;-0.0;none", "", "none"),
    (-0.001, "0.0", "", "0.0"),
    (12, "'a;b' 0", "", "a;b 12"),
    (0, "#", "", ""),
    (5, "0 e", "", "5 e"),
    (5, "text", "", "text"),
    (12.5, ".00", "", "12.50"),
]


@pytest.mark.parametrize(("number", "pattern", "name", "expected"), NUMBERS)
def test_a_number_is_printed_as_documented(
    number: float, pattern: str, name: str, expected: str
) -> None:
    assert format_number(number, pattern, culture(name)) == expected


@pytest.mark.parametrize(
    ("number", "pattern"),
    [(1.5, "D"), (1.5, "X"), (1, "Y"), (1, "Z3"), (1, "F1001"), (1, "0" * 1001), (10**2000, "")],
)
def test_a_number_format_that_net_refuses_is_refused(number: float, pattern: str) -> None:
    with pytest.raises(EvaluationError):
        format_number(number, pattern)


PATTERNS = st.text(alphabet="dfFgGhHKmMsStyzcCDeEFGNPRX0#.,%‰;'\"\\ /:-x", max_size=12)


@given(st.integers(-(2**64), 2**64) | st.floats(), PATTERNS)
def test_any_number_format_prints_or_is_refused(number: float, pattern: str) -> None:
    with suppress(EvaluationError):
        assert isinstance(format_number(number, pattern), str)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_plain_form_of_a_number_reads_back(number: float) -> None:
    assert float(format_number(number)) == number
