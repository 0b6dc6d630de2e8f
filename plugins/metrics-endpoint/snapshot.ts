import type { HttpReply, HttpRequest } from "../../sdk/contracts/http-server.js";
import type { Metrics } from "../../sdk/contracts/metrics.js";
import { messageOf } from "../../sdk/errors/index.js";
import { doubleJson } from "../../sdk/resources/index.js";
import { parseDuration } from "../../sdk/values/index.js";

/** Every metric as one JSON object, sorted by name; values are doubles, so that 2 is `2.0`. */
export function snapshotJson(metrics: Metrics): string {
  let json = "";
  for (const [name, value] of metrics.snapshot()) {
    json += `${json === "" ? "" : ","}${JSON.stringify(name)}:${doubleJson(value)}`;
  }
  return `{${json}}`;
}

/**
 * GET /metrics/snapshot. `timeout` is checked and has no further effect: it bounds how long Mesos waits for its actors, and here
 * every metric is read at once. For the same reason there is no limit of two requests a second, with which Mesos protects its
 * actors from the waiting.
 */
export function answerSnapshot(metrics: Metrics, request: HttpRequest, reply: HttpReply): void {
  const timeout = request.query.get("timeout");
  if (timeout !== null) {
    try {
      parseDuration(timeout);
    } catch (error) {
      reply.text(400, `Invalid timeout '${timeout}': ${messageOf(error)}.\n`);
      return;
    }
  }
  reply.json(snapshotJson(metrics));
}
