import { basename, extname } from "node:path";
import { Readable } from "node:stream";
import type { HttpReply, HttpRequest, HttpRoute } from "../../sdk/contracts/http-server.js";
import { listingJson } from "./listing.js";
import { MIME_TYPES } from "./mime-types.js";
import { openRegularFile } from "./open-file.js";
import { refused } from "./refusals.js";
import type { VirtualFiles } from "./virtual-files.js";

const SIZE_ONLY = { offset: 0, length: 0 };
/** Clients from before Mesos 1.0 put `.json` behind every name, as mesos-cli does. */
const SUFFIXES = ["", ".json"];

/** `/files/browse`, `/files/read`, `/files/download` and `/files/debug`, with Mesos's parameters, answers and error texts. */
export function filesRoutes(files: VirtualFiles, realm: string): HttpRoute[] {
  const route = (
    name: string,
    handle: (request: HttpRequest, reply: HttpReply) => Promise<void>,
  ): HttpRoute[] => SUFFIXES.map((suffix) => ({ path: `/files/${name}${suffix}`, realm, handle }));
  return [
    ...route("browse", async ({ query }, reply) => {
      const path = pathOf(query);
      reply.json(listingJson(await files.browse(path)));
    }),
    ...route("read", async ({ query }, reply) => {
      const path = pathOf(query);
      const offset = integer(query, "offset") ?? -1;
      const length = integer(query, "length") ?? -1;
      // The offset -1 asks for the size alone.
      const part = offset === -1 ? SIZE_ONLY : { offset, length: length === -1 ? undefined : length };
      const { size, data } = await files.read({ path, ...part });
      answerRead(reply, { offset: offset === -1 ? size : offset, data, jsonp: query.has("jsonp") });
    }),
    ...route("download", async ({ query }, reply) => download(reply, await files.find(pathOf(query)))),
    ...route("debug", async (_request, reply) => reply.json(JSON.stringify(files.listing()))),
  ];
}

function pathOf(query: URLSearchParams): string {
  const path = query.get("path") ?? "";
  if (path === "") throw refused("Expecting 'path=value' in query");
  return path;
}

function integer(query: URLSearchParams, name: "offset" | "length"): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  const value = Number(text);
  if (!/^[+-]?\d+$/.test(text) || !Number.isSafeInteger(value))
    throw refused(`Failed to parse ${name}: Failed to convert '${text}' to number`);
  if (value < -1) throw refused(`Negative ${name} provided: ${value}`);
  return value;
}

function answerRead(
  reply: HttpReply,
  { data, jsonp, offset }: { data: Buffer; jsonp: boolean; offset: number },
): void {
  if (jsonp) {
    reply.json(JSON.stringify({ data: data.toString(), offset }));
    return;
  }
  // As in Mesos, the string holds the file's own bytes, whatever their encoding, also where they are no UTF-8.
  const body = Buffer.from(JSON.stringify({ data: data.toString("latin1"), offset }), "latin1");
  reply.send(200, body, { "Content-Type": "application/json" });
}

async function download(reply: HttpReply, found: { real: string; root: string }): Promise<void> {
  const file = await openRegularFile(found, "download");
  try {
    const { size } = await file.stat();
    const source =
      size === 0 ? Readable.from([]) : file.createReadStream({ start: 0, end: size - 1, autoClose: false });
    // One that shrinks meanwhile breaks the connection; one that grows is cut at the size announced.
    await reply.pipe(
      200,
      {
        "Content-Type": MIME_TYPES.get(extname(found.real).toLowerCase()) ?? "application/octet-stream",
        "Content-Disposition": disposition(basename(found.real)),
        "Content-Length": size,
      },
      source,
    );
  } finally {
    await file.close();
  }
}

/** Plain where that is safe in a header, else encoded. */
function disposition(name: string): string {
  if (/^[\w.+-]+$/.test(name)) return `attachment; filename=${name}`;
  return `attachment; filename*=UTF-8''${encodeURIComponent(Buffer.from(name).toString())}`;
}
