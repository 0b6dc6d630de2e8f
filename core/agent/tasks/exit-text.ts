import type { ContainerExit } from "../../../sdk/contracts/containerizer.js";

/** Names of signals as strsignal(3) gives them on Linux; clients read them in status messages. */
const SIGNALS: readonly string[] = [
  "Unknown signal 0",
  "Hangup",
  "Interrupt",
  "Quit",
  "Illegal instruction",
  "Trace/breakpoint trap",
  "Aborted",
  "Bus error",
  "Floating point exception",
  "Killed",
  "User defined signal 1",
  "Segmentation fault",
  "User defined signal 2",
  "Broken pipe",
  "Alarm clock",
  "Terminated",
  "Stack fault",
  "Child exited",
  "Continued",
  "Stopped (signal)",
  "Stopped",
  "Stopped (tty input)",
  "Stopped (tty output)",
  "Urgent I/O condition",
  "CPU time limit exceeded",
  "File size limit exceeded",
  "Virtual timer expired",
  "Profiling timer expired",
  "Window changed",
  "I/O possible",
  "Power failure",
  "Bad system call",
];

/** The first real-time signal that programs may use; glibc reserves two. */
const FIRST_REAL_TIME = 34;

function signalName(signal: number): string {
  if (signal >= FIRST_REAL_TIME) return `Real-time signal ${signal - FIRST_REAL_TIME}`;
  return SIGNALS[signal] ?? `Unknown signal ${signal}`;
}

/** `exited with status 3`, `terminated with signal Killed`: Mesos's words. */
export function exitText({ code, signal }: ContainerExit): string {
  return signal === undefined ? `exited with status ${code}` : `terminated with signal ${signalName(signal)}`;
}

/** The exit status in the format of wait(2), as messages between daemons carry it; -1 if it is unknown. */
export function waitStatus(exit: ContainerExit | undefined): number {
  if (exit === undefined) return -1;
  return exit.signal ?? ((exit.code ?? 0) & 0xff) << 8;
}
