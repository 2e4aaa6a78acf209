import pytest

from mlops_ci.serving.complaints import Complaints


def test_of_many_failures_one_a_second_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr("mlops_ci.serving.complaints.time.monotonic", lambda: now)
    complaints = Complaints()
    for number in range(3_000):
        now = 100.0 + number / 2_000
        try:
            raise ValueError(f"failure {number}")
        except ValueError:
            complaints.tell()
    told = capsys.readouterr().err
    assert told.count("Traceback") == 2
    assert "failure 0\n" in told
    assert told.endswith("ValueError: failure 2000\n(and 1999 failures before this one)\n")
