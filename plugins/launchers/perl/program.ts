import { ENTER_SANDBOX } from "../../../sdk/safe-files/index.js";
import { BASICS } from "./basics.js";
import { CGROUPS } from "./cgroups.js";
import { CONTAINER } from "./container.js";
import { FILE_SYSTEM } from "./file-system.js";
import { HELPER } from "./helper.js";
import { PRIVILEGES } from "./privileges.js";
import { SHIM } from "./shim.js";
import { SWITCHBOARD } from "./switchboard.js";
import { SYSTEM_CALLS } from "./system-calls.js";
import { TERMINAL } from "./terminal.js";

/**
 * The launchers' helper, in Perl: one long-lived process that forks a shim for each container on request. Forking this small
 * process is many times cheaper than forking Node, and Perl (unlike a shell) sees whether a process exited or was killed.
 * The decisions and their figures: docs/adr/0006-task-shim.md, docs/adr/0012-linux-launcher.md.
 *
 * - The helper reads commands from standard input (see ../shim/protocol.ts) and ends when it closes, that is, with the agent.
 * - A shim stays with its container, also when helper and agent have ended.
 * - The container's first process waits at a pipe until it is let go, so that isolators can act on it first. With a pid namespace it
 *   goes on as the namespace's process 1, and the command is its child.
 *
 * Only core Perl is used (`perl-base` on Debian). Neither backquotes nor dollar-brace may be written in it.
 */
export const PERL_HELPER = [
  BASICS,
  SYSTEM_CALLS,
  CGROUPS,
  FILE_SYSTEM,
  PRIVILEGES,
  TERMINAL,
  ENTER_SANDBOX,
  CONTAINER,
  SHIM,
  SWITCHBOARD,
  HELPER,
].join("");
