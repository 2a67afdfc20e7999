"""on_error = "sleep": a failed run lets its job sleep for a day, as job.SLEEP does."""

from datetime import timedelta

from moontide import Failure, OutcomePolicy, Verdict, hookimpl

DAY = timedelta(hours=24)


def sleep(failure: Failure) -> Verdict:
    """Keep the job on, and let it sleep for 24 hours from the start of the run that failed."""
    return Verdict(active=True, sleep_until=failure.started + DAY)


@hookimpl
def moontide_outcome_policies() -> list[OutcomePolicy]:
    """Return the policy `sleep`."""
    return [
        OutcomePolicy(
            name="sleep",
            decide=sleep,
            help="The job sleeps for 24 hours from the start of the failed run, with the error shown.",
        )
    ]
