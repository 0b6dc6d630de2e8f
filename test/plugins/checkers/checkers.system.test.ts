import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer as createHttp, type RequestListener } from "node:http";
import { createServer as createHttps } from "node:https";
import { type AddressInfo, createServer as createTcp, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as grpc from "@grpc/grpc-js";
import { expect } from "chai";
import { GrpcChecker } from "../../../plugins/checkers/grpc-checker.js";
import { HttpChecker } from "../../../plugins/checkers/http-checker.js";
import { CheckHelper } from "../../../plugins/checkers/network/check-helper.js";
import { Network } from "../../../plugins/checkers/network/network.js";
import { TcpChecker } from "../../../plugins/checkers/tcp-checker.js";
import type { Checker, CheckOutcome, CheckSpec, CheckTarget } from "../../../sdk/contracts/checker.js";
import { MemoryLogger } from "../../../sdk/testing/memory-logger.js";
import { eventually } from "../../support/eventually.js";
import { requirePart, requireThat } from "../../support/require-part.js";
import { makeCertificate } from "./certificate.js";
import { type NamespaceServer, startNamespaceServer } from "./namespace-server.js";

describe("Checkers", function () {
  this.timeout(60_000);

  const logger = new MemoryLogger();
  const helper = new CheckHelper(logger);
  const network = new Network(helper);
  const http = new HttpChecker(network);
  const servers: Server[] = [];
  const sockets = new Set<Socket>();

  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
  });
  after(() => helper.stop());

  async function listen(server: Server, host = "127.0.0.1"): Promise<number> {
    servers.push(server);
    server.on("connection", (socket: Socket) => {
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket));
    });
    await new Promise<void>((resolve) => server.listen(0, host, resolve));
    return (server.address() as AddressInfo).port;
  }

  function ask(
    checker: Checker,
    spec: Partial<CheckSpec>,
    { pid, signal = new AbortController().signal }: { pid?: number; signal?: AbortSignal } = {},
  ): Promise<CheckOutcome | undefined> {
    const target: CheckTarget = { containerId: { value: "c" }, pid, run: async () => undefined };
    const whole = { address: "127.0.0.1", port: 0, scheme: "http", path: "/", ...spec };
    return checker.prepare(whole, target).run(signal);
  }

  describe("by HTTP", () => {
    const answering = (listener: RequestListener): Promise<number> => listen(createHttp(listener));

    it("take a status from 200 to 399 for healthy, and ask for the path", async () => {
      const asked: string[] = [];
      const port = await answering((request, response) => {
        asked.push(`${request.method} ${request.url} ${request.headers.host}`);
        response.statusCode = Number(request.url!.slice(1));
        response.end("x".repeat(100));
      });
      for (const status of [200, 204, 302, 399])
        expect(await ask(http, { port, path: `/${status}` })).to.deep.equal({
          healthy: true,
          statusCode: status,
        });
      for (const status of [400, 404, 500, 503])
        expect(await ask(http, { port, path: `/${status}` })).to.deep.equal({
          healthy: false,
          statusCode: status,
          message: `Unexpected HTTP response code: ${status}`,
        });
      expect(asked[0]).to.equal(`GET /200 127.0.0.1:${port}`);
    });

    it("follow redirections, to others too, and not for ever", async () => {
      const other = await answering((_request, response) => {
        response.statusCode = 418;
        response.end();
      });
      const port = await answering((request, response) => {
        const to = { "/a": "/b", "/b": `http://127.0.0.1:${other}/`, "/round": "/round", "/ftp": "ftp://x/" }[
          request.url!
        ];
        response.writeHead(302, { location: to });
        response.end();
      });
      expect((await ask(http, { port, path: "/a" }))!.statusCode).to.equal(418);
      expect((await ask(http, { port, path: "/round" }))!.message).to.equal("it redirects without end");
      expect((await ask(http, { port, path: "/ftp" }))!.message).to.equal(
        "it redirects to 'ftp://x/': that is not HTTP",
      );
    });

    it("do not let a path break out of its line", async () => {
      const asked: string[] = [];
      const port = await answering((request, response) => {
        asked.push(request.url!);
        response.end();
      });
      await ask(http, { port, path: "/a b\r\nX: 1#frag" });
      expect(asked).to.deep.equal(["/a%20b%0D%0AX:%201"]);
    });

    it("know neither where nobody listens, nor where the answer is none, what the status is", async () => {
      const port = await answering((_request, response) => response.end());
      await new Promise((resolve) => servers.pop()!.close(resolve));
      const refused = await ask(http, { port });
      expect(refused!.healthy).to.equal(false);
      expect(refused!.statusCode).to.equal(undefined);
      expect(refused!.message).to.equal("Connection refused");
      const garbage = await listen(createTcp((socket) => socket.end("SSH-2.0-x\r\n")));
      expect(await ask(http, { port: garbage })).to.deep.equal({
        healthy: false,
        message: "the answer is not HTTP",
      });
      const silent = await listen(createTcp((socket) => socket.end()));
      expect((await ask(http, { port: silent }))!.message).to.equal(
        "it closed the connection without an answer",
      );
    });

    it("read an answer that comes byte by byte, behind a 100 Continue", async () => {
      const port = await listen(
        createTcp(async (socket) => {
          for (const byte of "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 No\r\n") {
            socket.write(byte);
            await new Promise((resolve) => setImmediate(resolve));
          }
        }),
      );
      expect((await ask(http, { port }))!.statusCode).to.equal(503);
    });

    it("stop at once when they are aborted, and leave no connection", async () => {
      const closed: string[] = [];
      const server = createTcp((socket) => {
        socket.resume().on("close", () => closed.push("closed"));
        abort.abort();
      });
      const port = await listen(server);
      const abort = new AbortController();
      expect(await ask(http, { port }, { signal: abort.signal })).to.equal(undefined);
      await eventually(() => (closed.length === 1 ? true : undefined));
    });

    it("use IPv6 where they are told to", async () => {
      const port = await listen(
        createHttp((request, response) => response.end(request.headers.host)),
        "::1",
      );
      expect(await ask(http, { address: "::1", port })).to.deep.equal({ healthy: true, statusCode: 200 });
    });
  });

  it("by HTTPS do not look at certificates", async function () {
    requirePart(this, "openssl", "openssl");
    const directory = mkdtempSync(join(tmpdir(), "tepui-check-"));
    makeCertificate(directory);
    try {
      const file = (name: string): Buffer => readFileSync(join(directory, name));
      const options = { key: file("key"), cert: file("cert") };
      const port = await listen(createHttps(options, (_request, response) => response.end("ok")));
      expect(await ask(http, { scheme: "https", port })).to.deep.equal({ healthy: true, statusCode: 200 });
      // Not TLS at all.
      const plain = await listen(createHttp((_request, response) => response.end("ok")));
      expect((await ask(http, { scheme: "https", port: plain }))!.healthy).to.equal(false);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it("by TCP tell whether a connection can be made", async () => {
    const tcp = new TcpChecker(network);
    const port = await listen(createTcp());
    expect(await ask(tcp, { port })).to.deep.equal({ healthy: true, connected: true });
    await new Promise((resolve) => servers.pop()!.close(resolve));
    const refused = await ask(tcp, { port });
    expect(refused).to.include({ healthy: false, connected: false });
  });

  it("by gRPC ask for the health of a service", async () => {
    const checker = new GrpcChecker(network);
    const server = new grpc.Server();
    const raw = (bytes: Buffer): Buffer => bytes;
    server.addService(
      {
        check: {
          path: "/grpc.health.v1.Health/Check",
          requestStream: false,
          responseStream: false,
          requestSerialize: raw,
          requestDeserialize: raw,
          responseSerialize: raw,
          responseDeserialize: raw,
        },
      },
      {
        check: (call: { request: Buffer }, callback: grpc.sendUnaryData<Buffer>) => {
          const service = call.request.subarray(2).toString();
          if (service === "missing") callback({ code: grpc.status.NOT_FOUND });
          else callback(null, Buffer.from([8, service === "down" ? 2 : 1]));
        },
      },
    );
    const port = await new Promise<number>((resolve, reject) =>
      server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      ),
    );
    try {
      expect(await ask(checker, { port })).to.deep.equal({ healthy: true });
      expect(await ask(checker, { port, path: "/down" })).to.deep.equal({
        healthy: false,
        message: "it is NOT_SERVING",
      });
      expect(await ask(checker, { port, path: "/missing" })).to.deep.equal({
        healthy: false,
        message: "the call failed with gRPC status 5",
      });
    } finally {
      server.forceShutdown();
    }
    expect((await ask(checker, { port }))!.healthy).to.equal(false);
    const plain = await listen(createHttp((_request, response) => response.end()));
    expect((await ask(checker, { port: plain }))!.healthy).to.equal(false);
  });

  describe("in the network of a container", () => {
    let container: NamespaceServer;
    const tcp = new TcpChecker(network);

    before(async function () {
      requirePart(this, "unshare", "util-linux");
      requirePart(this, "ip", "iproute2");
      requirePart(this, "perl", "perl-base");
      requireThat(this, process.getuid?.() === 0, "namespaces need root");
      container = await startNamespaceServer();
    });
    after(() => container?.stop());

    it("ask what listens there, and not what listens in the host's", async () => {
      const { pid, port } = container;
      expect(await ask(http, { port, path: "/503" }, { pid })).to.include({
        healthy: false,
        statusCode: 503,
      });
      expect(await ask(http, { port, path: "/200" }, { pid })).to.deep.equal({
        healthy: true,
        statusCode: 200,
      });
      expect(await ask(tcp, { port }, { pid })).to.deep.equal({ healthy: true, connected: true });
      const outside = await listen(createTcp());
      if (outside !== port) {
        expect(await ask(tcp, { port: outside }, { pid })).to.include({ healthy: false, connected: false });
        expect((await ask(http, { port: outside }, { pid }))!.message).to.match(/refused/i);
        // In turns.
        expect(await ask(tcp, { port: outside })).to.deep.equal({ healthy: true, connected: true });
      }
    });

    it("make many at a time with one process", async () => {
      const { pid, port } = container;
      const before = helper.pid;
      const statuses = Array.from({ length: 300 }, (_, i) => (i % 2 === 0 ? 200 : 404));
      const found = await Promise.all(
        statuses.map((status) => ask(http, { port, path: `/${status}` }, { pid })),
      );
      expect(found.map((one) => one!.statusCode)).to.deep.equal(statuses);
      expect(helper.pid).to.equal(before);
    });

    it("survive the end of their helper, which counts against nobody", async () => {
      const { pid, port } = container;
      await ask(tcp, { port }, { pid });
      const first = helper.pid!;
      let found: unknown = "nothing yet";
      void ask(http, { port, path: "/silent" }, { pid }).then((answer) => {
        found = answer;
      });
      // Whichever was asked: the first may have ended before.
      await eventually(() => {
        if (helper.pid !== undefined) process.kill(helper.pid, "SIGKILL");
        return found === undefined || undefined;
      });
      await eventually(() => (helper.pid !== first ? true : undefined));
      expect(await ask(http, { port, path: "/200" }, { pid })).to.deep.equal({
        healthy: true,
        statusCode: 200,
      });
      expect(helper.pid).to.not.equal(first);
    });

    it("close what is aborted", async () => {
      const { pid, port } = container;
      const abort = new AbortController();
      const pending = ask(http, { port, path: "/silent" }, { pid, signal: abort.signal });
      setImmediate(() => abort.abort());
      expect(await pending).to.equal(undefined);
      expect(await ask(tcp, { port }, { pid })).to.include({ healthy: true });
    });

    it("say nothing of a container that is gone", async () => {
      expect(await ask(tcp, { port: container.port }, { pid: 2 ** 22 - 1 })).to.equal(undefined);
    });
  });

  describe("again and again", () => {
    const stops: (() => void)[] = [];
    afterEach(() => {
      for (const stop of stops.splice(0)) stop();
    });

    /** What is told, in words. */
    async function repeat(checker: Checker, spec: Partial<CheckSpec>, timeout = 0): Promise<string[]> {
      const told: string[] = [];
      const whole = { address: "127.0.0.1", port: 0, scheme: "http", path: "/", ...spec };
      const check = checker.prepare(whole, {
        containerId: { value: "c" },
        pid: undefined,
        run: async () => undefined,
      });
      await check.run(new AbortController().signal);
      const stop = check.repeat?.({
        interval: 10,
        timeout,
        found: ({ statusCode, connected, message }) =>
          void told.push(`${statusCode ?? connected ?? message}`),
        late: () => void told.push("late"),
        ended: () => void told.push("ended"),
      });
      if (stop === undefined) told.push("not here");
      else stops.push(stop);
      return told;
    }

    const become = async (told: readonly string[], ...expected: string[]): Promise<void> => {
      await eventually(() => (told.length >= expected.length ? true : undefined)).catch(() => undefined);
      expect(told.slice(0, expected.length)).to.deep.equal(expected);
    };

    it("tell that all is well once, and each time that it is not", async () => {
      const statuses = [200, 200, 200, 204, 204, 503, 503, 200, 200, 200];
      const asked: string[] = [];
      const port = await listen(
        createHttp((request, response) => {
          asked.push(`${request.headers["user-agent"]} ${request.url}`);
          response.statusCode = statuses.shift() ?? 404;
          response.end();
        }),
      );
      const told = await repeat(http, { port, path: "/one" });
      await become(told, "200", "204", "503", "503", "200", "404", "404");
      expect(new Set(asked)).to.deep.equal(new Set(["tepui-check /one"]));
      stops.pop()!();
      const before = asked.length;
      // Another is asked meanwhile: what was stopped would have been, too.
      await become(await repeat(http, { port, path: "/other" }), "404", "404", "404", "404", "404");
      // One may have been on its way.
      expect(asked.slice(before).filter((one) => one.endsWith("/one")).length).to.be.at.most(1);
    });

    it("tell by TCP when nobody listens any more, and when somebody does again", async () => {
      const port = await listen(createTcp((socket) => socket.resume()));
      const told = await repeat(new TcpChecker(network), { port });
      await become(told, "true");
      await new Promise((resolve) => servers.pop()!.close(resolve));
      await become(told, "true", "false", "false");
      const again = createTcp((socket) => socket.resume());
      servers.push(again);
      again.listen(port, "127.0.0.1");
      await eventually(() => (told.at(-1) === "true" ? true : undefined));
    });

    it("give each its time, and close what took longer", async () => {
      let [all, open] = [0, 0];
      const port = await listen(
        createTcp((socket) => {
          open++;
          // The first check goes well: from then on the helper asks.
          if (all++ === 0) socket.end("HTTP/1.1 200 OK\r\n\r\n");
          socket.resume().on("close", () => open--);
        }),
      );
      const told = await repeat(http, { port }, 60);
      await become(told, "late", "late");
      stops.pop()!();
      await eventually(() => (open === 0 ? true : undefined));
    });

    it("leave redirections, TLS and what the helper does not survive to the agent", async () => {
      let moved = false;
      const port = await listen(
        createHttp((_request, response) => {
          response.writeHead(moved ? 302 : 200, { location: "/" });
          response.end();
        }),
      );
      const told = await repeat(http, { port });
      await become(told, "200");
      moved = true;
      await become(told, "200", "ended");
      expect(await repeat(http, { port })).to.deep.equal(["not here"]);
      expect(await repeat(http, { port, scheme: "https" })).to.deep.equal(["not here"]);
      moved = false;
      const other = await repeat(http, { port });
      await become(other, "200");
      process.kill(helper.pid!, "SIGKILL");
      await become(other, "200", "ended");
    });
  });

  it("count against nobody where there is no helper to be had", async function () {
    requirePart(this, "unshare", "util-linux");
    requireThat(this, process.getuid?.() === 0, "namespaces need root");
    const container = await startNamespaceServer();
    const broken = new CheckHelper(logger, ["/nonexistent/perl"]);
    try {
      const checker = new TcpChecker(new Network(broken));
      for (let i = 0; i < 2; i++)
        expect(await ask(checker, { port: 1 }, { pid: container.pid })).to.equal(undefined);
      // In the host's own network there is Node.
      const port = await listen(createHttp((_request, response) => response.end()));
      expect(await ask(checker, { port })).to.deep.equal({ healthy: true, connected: true });
      const http = new HttpChecker(new Network(broken));
      expect(await ask(http, { port })).to.deep.equal({ healthy: true, statusCode: 200 });
    } finally {
      broken.stop();
      await container.stop();
    }
  });
});
