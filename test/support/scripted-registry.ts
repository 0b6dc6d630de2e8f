import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { type BuiltImage, sha256 } from "./image-builder.js";

export interface SeenRequest {
  readonly path: string;
  readonly authorization: string | undefined;
  readonly range: string | undefined;
}

/** Answers in place of the registry; true: it has. */
export type Misbehaviour = (request: IncomingMessage, response: ServerResponse) => boolean;

/** A small registry that can be made to misbehave: for what a real one does not do when it is asked to. */
export class ScriptedRegistry {
  readonly seen: SeenRequest[] = [];
  misbehave: Misbehaviour = () => false;
  private readonly contents = new Map<string, { readonly data: Buffer; readonly type: string }>();
  private readonly servers: Server[] = [];
  private address = "";

  /** `127.0.0.1:port` */
  get host(): string {
    return this.address;
  }

  async start(): Promise<void> {
    this.address = await this.listen((request, response) => this.answer(request, response));
  }

  /** Another server of the same test. */
  async listen(handler: RequestListener): Promise<string> {
    const server = createServer(handler);
    this.servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    for (const server of this.servers) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  add(repository: string, tag: string, image: BuiltImage): void {
    const manifest = { data: image.manifest, type: image.mediaType };
    this.contents.set(`/v2/${repository}/manifests/${tag}`, manifest);
    this.contents.set(`/v2/${repository}/manifests/${image.digest}`, manifest);
    for (const data of [image.config, ...image.layers.map(({ blob }) => blob)]) {
      this.contents.set(`/v2/${repository}/blobs/${sha256(data)}`, {
        data,
        type: "application/octet-stream",
      });
    }
  }

  put(path: string, data: Buffer, type = "application/octet-stream"): void {
    this.contents.set(path, { data, type });
  }

  /** Requests whose path holds this text. */
  asked(text: string): SeenRequest[] {
    return this.seen.filter(({ path }) => path.includes(text));
  }

  content(path: string): Buffer | undefined {
    return this.contents.get(path)?.data;
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const { url: path = "", headers } = request;
    this.seen.push({ path, authorization: headers.authorization, range: headers.range });
    if (this.misbehave(request, response)) return;
    const found = this.contents.get(path);
    if (found === undefined) {
      response.writeHead(404).end("{}");
      return;
    }
    const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? "")?.[1] ?? 0);
    const data = found.data.subarray(from);
    response.writeHead(from > 0 ? 206 : 200, {
      "content-type": found.type,
      "content-length": data.length,
      ...(from > 0 && { "content-range": `bytes ${from}-${found.data.length - 1}/${found.data.length}` }),
    });
    response.end(data);
  }
}
