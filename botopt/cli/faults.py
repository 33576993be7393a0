"""From exceptions to words and exit codes."""

from __future__ import annotations

from botopt.cli.console import mute_stdout, say
from botopt.cli.exits import Exit
from botopt.model.errors import BotoptError, InputError, PolicyError, StateError, UsageError


def exit_code_of(fault: BaseException) -> int:
    """Say what went wrong on standard error; how the process should end."""
    match fault:
        case SystemExit() if isinstance(fault.__context__, BrokenPipeError):  # raised by those who print for us
            mute_stdout()
            return Exit.OK
        case SystemExit():
            return fault.code if isinstance(fault.code, int) else (Exit.OK if fault.code is None else Exit.INTERNAL)
        case KeyboardInterrupt():
            say("interrupted")
            return Exit.INTERRUPTED
        case BrokenPipeError():
            mute_stdout()
            return Exit.OK
        case PolicyError():
            from botopt.cli.findings import print_findings

            try:
                print_findings(fault.diagnostics)
            except (BrokenPipeError, SystemExit):  # nobody reads on; the policy has errors all the same
                mute_stdout()
            return Exit.POLICY
        case StateError():
            say(f"botopt: {fault}", "red")
            return Exit.STATE
        case InputError():
            say(f"botopt: {fault}", "red")
            return Exit.FILES
        case UsageError():
            say(f"botopt: {fault}", "red")
            return Exit.USAGE
        case BotoptError():
            say(f"botopt: {fault}", "red")
            return Exit.INTERNAL
        case OSError():
            name = f" {fault.filename}" if fault.filename else ""
            say(f"botopt:{name}: {fault.strerror or fault}", "red")
            return Exit.FILES
        case _:
            say(f"botopt: internal error: {type(fault).__name__}: {fault}", "red")
            say("This is a fault in botopt. Run again with BOTOPT_TRACEBACK=1 for the details to report.")
            return Exit.INTERNAL
