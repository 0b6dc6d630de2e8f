import { basename, extname } from "node:path";
import { Readable } from "node:stream";
import type { HttpReply, HttpRequest, HttpRoute } from "../../sdk/contracts/http-server.js";
import { listingJson } from "./listing.js";
import { MIME_TYPES } from "./mime-types.js";
import { FileRefusal, openRegularFile } from "./open-file.js";
import type { VirtualFiles } from "./virtual-files.js";

/** Of one `/files/read`: 16 pages. */
const MAX_READ_BYTES = 16 * 4096;

/** `/files/browse`, `/files/read`, `/files/download` and `/files/debug`, with Mesos's parameters, answers and error texts. */
export function filesRoutes(files: VirtualFiles, realm: string): HttpRoute[] {
  const route = (
    name: string,
    answer: (request: HttpRequest, reply: HttpReply) => Promise<void>,
  ): HttpRoute => ({
    path: `/files/${name}`,
    exact: true,
    realm,
    handle: async (request, reply) => {
      try {
        await answer(request, reply);
      } catch (error) {
        if (!(error instanceof FileRefusal)) throw error;
        reply.text(error.status, error.text);
      }
    },
  });
  return [
    route("browse", async ({ query }, reply) => {
      const path = pathOf(query);
      const { real } = await find(files, path);
      reply.json(await listingJson(real, path));
    }),
    route("read", async ({ query }, reply) => {
      const found = await find(files, pathOf(query));
      const offset = integer(query, "offset") ?? -1;
      const length = integer(query, "length") ?? -1;
      const { size, data } = await readPart(found, { offset, length });
      answerRead(reply, { offset: offset === -1 ? size : offset, data, jsonp: query.has("jsonp") });
    }),
    route("download", async ({ query }, reply) => download(reply, await find(files, pathOf(query)))),
    route("debug", async (_request, reply) => reply.json(JSON.stringify(files.listing()))),
  ];
}

function pathOf(query: URLSearchParams): string {
  const path = query.get("path") ?? "";
  if (path === "") throw new FileRefusal(400, "Expecting 'path=value' in query.\n");
  // No file system has such names, and Node throws for them.
  if (path.includes("\0")) throw new FileRefusal(404, "");
  return path;
}

async function find(files: VirtualFiles, path: string): Promise<{ real: string; root: string }> {
  const resolution = await files.resolve(path);
  if (resolution.kind === "found") return resolution;
  if (resolution.kind === "missing") throw new FileRefusal(404, "");
  throw new FileRefusal(400, `'${resolution.path}' is inaccessible.\n`);
}

function integer(query: URLSearchParams, name: "offset" | "length"): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  const value = Number(text);
  if (!/^[+-]?\d+$/.test(text) || !Number.isSafeInteger(value))
    throw new FileRefusal(400, `Failed to parse ${name}: Failed to convert '${text}' to number.\n`);
  if (value < -1) throw new FileRefusal(400, `Negative ${name} provided: ${value}.\n`);
  return value;
}

async function readPart(
  found: { real: string; root: string },
  { offset, length }: { offset: number; length: number },
): Promise<{ size: number; data: Buffer }> {
  const file = await openRegularFile(found, "read");
  try {
    const { size } = await file.stat();
    // The offset -1 asks for the size alone.
    const wanted = offset === -1 ? 0 : Math.min(length === -1 ? size : length, size - offset, MAX_READ_BYTES);
    if (wanted <= 0) return { size, data: Buffer.alloc(0) };
    const { buffer, bytesRead } = await file.read(Buffer.alloc(wanted), 0, wanted, offset);
    return { size, data: buffer.subarray(0, bytesRead) };
  } finally {
    await file.close();
  }
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
