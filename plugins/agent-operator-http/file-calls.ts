import { Call_Type, Response_Type } from "../../proto/gen/mesos/v1/agent/agent.js";
import type { CallHandler } from "./call-context.js";

/** The calls that read sandboxes and logs. */
export const FILE_CALLS: { readonly [type: number]: CallHandler } = {
  [Call_Type.LIST_FILES]: async ({ api, call, respond }) => {
    const found = await api.files.browse(call.list_files?.path ?? "");
    respond({ type: Response_Type.LIST_FILES, list_files: { file_infos: [...found] } });
  },
  [Call_Type.READ_FILE]: async ({ api, call, respond }) => {
    const { path = "", offset = 0n, length } = call.read_file ?? {};
    const part = { offset: Number(offset), length: length === undefined ? undefined : Number(length) };
    const { size, data } = await api.files.read({ path, ...part });
    respond({ type: Response_Type.READ_FILE, read_file: { size: BigInt(size), data } });
  },
};
