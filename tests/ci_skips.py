"""pytest plugin of the CI: a skipped test fails the run.

On a developer's machine a test may be skipped for want of a system package. In CI everything is
installed, so a skip means that something is no longer tested, and nobody would notice. The one
exception is reference data that may not be in the repository (`GATEWAY_SHARED`): a plain clone
passes without it.
Loaded with `-p tests.ci_skips` when CI=true (Makefile).
"""

from __future__ import annotations

import pytest


def _lost(reporter: pytest.TerminalReporter) -> list[pytest.TestReport]:
    """Return the skips that a machine with every package must not have."""
    skipped: list[pytest.TestReport] = reporter.stats.get("skipped", [])
    return [report for report in skipped if "GATEWAY_SHARED" not in str(report.longrepr)]


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Turn a green run with skips into a failed one; under xdist only the controller counts."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or hasattr(session.config, "workerinput"):
        return
    if _lost(reporter) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say why the run failed although no test did."""
    skipped = _lost(terminalreporter)
    if skipped:
        terminalreporter.write_line(f"CI: {len(skipped)} skipped, so this run fails", red=True)
