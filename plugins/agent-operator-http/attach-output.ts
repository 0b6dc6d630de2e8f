import type { ContainerStreams } from "../../sdk/contracts/containerizer.js";
import type { ReplyStream } from "../../sdk/contracts/http-server.js";
import { isTepuiError } from "../../sdk/errors/index.js";
import type { CallContext } from "./call-context.js";
import { streamHeaders } from "./media-types.js";
import { encodeProcessIo, heartbeat, outputMessage } from "./process-io.js";

export async function attachOutput(context: CallContext): Promise<void> {
  const containerId = context.call.attach_container_output!.container_id!;
  await sendOutput(context, await context.api.containers.attach(containerId));
}

/** Answers with what a container writes. Resolves when it has ended, or the client has left. */
export async function sendOutput(
  { api, media, reply }: CallContext,
  streams: ContainerStreams,
): Promise<void> {
  const { format } = media.answer;
  const left = new AbortController();
  const stream = reply.stream(200, streamHeaders(media.answer), () => left.abort());
  const beat = encodeProcessIo(heartbeat(api.heartbeatInterval), format);
  const heart = api.clock.setInterval(() => {
    // Not for who has things to read.
    if (stream.waiting === 0) stream.write([beat]);
  }, api.heartbeatInterval);
  try {
    await pass(streams, stream, { format, signal: left.signal });
  } catch (error) {
    // It cannot be told as an answer any more; the stream breaks off.
    if (!left.signal.aborted) api.logger.warn({ err: error }, "Cannot go on with the output of a container");
    if (!isTepuiError(error)) throw error;
    stream.destroy();
  } finally {
    heart.cancel();
    left.abort();
  }
}

async function pass(
  streams: ContainerStreams,
  stream: ReplyStream,
  { format, signal }: { format: "json" | "protobuf"; signal: AbortSignal },
): Promise<void> {
  for await (const chunk of streams.output(signal)) {
    stream.write([encodeProcessIo(outputMessage(chunk), format)]);
    // A client that does not read holds up nobody but itself: whoever gives the output sees that.
    await stream.drained();
    if (stream.over) return;
  }
  stream.end();
}
