import {
  type Call,
  Call_AttachContainerInput_Type as InputType,
} from "../../proto/gen/mesos/v1/agent/agent.js";
import type { ContainerInput } from "../../sdk/contracts/containerizer.js";
import { TepuiError } from "../../sdk/errors/index.js";
import type { CallContext } from "./call-context.js";
import { inputStep } from "./process-io.js";

/** Feeds a container what the client sends, and answers when that is over, or the container takes no more. */
export async function attachInput({ api, call, records, reply }: CallContext): Promise<void> {
  const part = call.attach_container_input!;
  if (part.type !== InputType.CONTAINER_ID) {
    throw new TepuiError("TEPUI_CALL_INVALID", {
      detail: "Expecting 'attach_container_input.type' to be CONTAINER_ID",
    });
  }
  const streams = await api.containers.attach(part.container_id!);
  const input = await streams.input();
  try {
    await Promise.race([input.over, feed(input, records)]);
    reply.send(200);
  } finally {
    input.close();
  }
}

async function feed(input: ContainerInput, records: AsyncIterator<Call, void>): Promise<void> {
  for (;;) {
    const { value: call } = await records.next();
    if (call === undefined) return;
    const part = call.attach_container_input;
    if (part?.type !== InputType.PROCESS_IO) {
      throw new TepuiError("TEPUI_CALL_INVALID", {
        detail: `Expecting 'attach_container_input.type' to be 'PROCESS_IO' instead of: '${InputType[part?.type ?? 0]}'`,
      });
    }
    const step = inputStep(part.process_io);
    if (step.kind === "data") await input.write(step.data);
    else if (step.kind === "end") await input.end();
    else if (step.kind === "size") await input.resize(step);
  }
}
