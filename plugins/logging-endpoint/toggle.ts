import type { HttpReply } from "../../sdk/contracts/http-server.js";
import type { LogVerbosity } from "../../sdk/contracts/log-verbosity.js";
import { messageOf, TepuiError } from "../../sdk/errors/index.js";
import { type Duration, parseDuration } from "../../sdk/values/index.js";

/** /logging/toggle: without parameters it tells the level; with `level` and `duration` it sets it for so long. No method is refused, as in Mesos. */
export function toggle(verbosity: LogVerbosity, query: URLSearchParams, reply: HttpReply): void {
  const level = query.get("level");
  const duration = query.get("duration");
  if (level === null && duration === null) {
    reply.text(200, `${verbosity.level}\n`);
    return;
  }
  if (duration === null) throw refused("Expecting 'duration=value' in query");
  if (level === null) throw refused("Expecting 'level=value' in query");
  verbosity.set(levelOf(level), durationOf(duration));
  reply.send(200);
}

function levelOf(text: string): number {
  const level = Number(text);
  if (!/^[+-]?\d+$/.test(text) || Math.abs(level) >= 2 ** 31)
    throw refused(`Failed to convert '${text}' to number`);
  if (level < 0) throw refused(`Invalid level '${level}'`);
  return level;
}

function durationOf(text: string): Duration {
  try {
    return parseDuration(text);
  } catch (error) {
    throw refused(messageOf(error));
  }
}

const refused = (text: string): TepuiError => new TepuiError("TEPUI_VALUE_INVALID", { detail: `${text}.\n` });
