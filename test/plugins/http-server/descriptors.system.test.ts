import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { roomForConnections } from "../../../plugins/http-server/descriptors.js";
import { freePort } from "../../support/daemons.js";
import { eventually } from "../../support/eventually.js";
import { requirePart } from "../../support/require-part.js";

const root = new URL("../../../..", import.meta.url).pathname;
const LIMIT = 160;

describe("the connections of a daemon", () => {
  it("are no more than its limit of open files leaves room for", () => {
    const limits =
      "Limit         Soft Limit   Hard Limit   Units\nMax open files            4096     4096     files\n";
    expect(roomForConnections(limits)).to.equal(3072);
    expect(roomForConnections("Max open files            unlimited     unlimited     files\n")).to.equal(
      Number.POSITIVE_INFINITY,
    );
    expect(roomForConnections("")).to.equal(Number.POSITIVE_INFINITY);
  });

  it("leave it descriptors for its files, however many come", async function () {
    this.timeout(60_000);
    requirePart(this, "prlimit", "util-linux");
    const folder = await mkdtemp(join(tmpdir(), "tepui-descriptors-"));
    const port = await freePort();
    const sockets: Socket[] = [];
    const master = spawn(
      "prlimit",
      [
        `--nofile=${LIMIT}`,
        process.execPath,
        join(root, "bin/mesos-master"),
        "--ip=127.0.0.1",
        `--port=${port}`,
        "--grpc_port=0",
        "--logging_level=ERROR",
        `--work_dir=${folder}`,
      ],
      { stdio: ["ignore", "inherit", "inherit"] },
    );
    const ended = once(master, "exit");
    try {
      await eventually(async () => {
        const health = await fetch(`http://127.0.0.1:${port}/health`).catch(() => undefined);
        return health?.ok === true ? true : undefined;
      });
      let answered = 0;
      let refused = 0;
      for (let i = 0; i < 2 * LIMIT; i++) {
        const socket = connect(port, "127.0.0.1");
        sockets.push(socket);
        socket.once("data", () => answered++);
        socket.on("error", () => undefined);
        socket.once("close", () => refused++);
        const body = JSON.stringify({ type: "SUBSCRIBE" });
        socket.write(
          `POST /api/v1 HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
        );
      }
      await eventually(async () => (answered + refused >= 2 * LIMIT ? true : undefined));
      expect(answered).to.be.greaterThan(LIMIT / 2);
      expect(readdirSync(`/proc/${master.pid}/fd`).length).to.be.lessThan(LIMIT);
    } finally {
      for (const socket of sockets) socket.destroy();
      master.kill();
      await ended;
      await rm(folder, { recursive: true, force: true });
    }
  });
});
