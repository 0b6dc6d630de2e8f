import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { expect } from "chai";
import { addMasterRoutes } from "../../../plugins/master-endpoints/routes.js";
import { OperatorEndpoint } from "../../../plugins/operator-http/operator-endpoint.js";
import type { OperatorApi } from "../../../plugins/operator-http/reads.js";
import type { Leadership } from "../../../sdk/contracts/scheduler-service.js";
import { SystemClock } from "../../../sdk/contracts/system-clock.js";
import { SharedReads } from "../../../sdk/http/index.js";
import { buildInfo } from "../../../sdk/v0-json/index.js";
import { count, RawPeer, type Rig, startServer } from "../http-server/support.js";
import { masterView } from "./records.js";

/** In one piece, so that all of them come in one turn of the event loop, or a few. */
const READERS = 100;
const body = '{"type":"GET_STATE"}';
const call = `POST /api/v1 HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nAccept: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

describe("the state of a cluster, asked for by many at once", () => {
  let rig: Rig;
  let written: number;
  let look: () => Leadership;
  let sockets: Socket[];

  beforeEach(async () => {
    written = 0;
    sockets = [];
    const leader = { id: "m", pid: "master@10.0.0.1:5050", hostname: "m.example", capabilities: [] };
    look = () => ({ role: "leading", leader });
    const view = masterView({
      leadership: () => look(),
      recoveredAgents: () => {
        written++;
        return [];
      },
    });
    const clock = new SystemClock();
    const api = { view, service: view, shared: new SharedReads(clock) } as unknown as OperatorApi;
    rig = await startServer((server) => {
      addMasterRoutes(server, view, { build: buildInfo(), clock });
      server.route(new OperatorEndpoint(api));
    });
  });

  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    await rig.server.stop();
  });

  for (const [what, requests] of [
    ["/state", "GET /state HTTP/1.1\r\nHost: a\r\n\r\n".repeat(READERS)],
    [
      "/state with callbacks",
      Array.from({ length: READERS }, (_, i) => `GET /state?jsonp=f${i} HTTP/1.1\r\nHost: a\r\n\r\n`).join(
        "",
      ),
    ],
    ["GET_STATE", call.repeat(READERS)],
  ] as const) {
    it(`is written a few times at most: ${what}`, async () => {
      const peer = await RawPeer.open(rig.server.address.port);
      sockets.push(peer.socket);
      peer.write(requests);
      const text = await peer.until((all) => count(all, "HTTP/1.1 200 ") === READERS);
      expect(count(text, "HTTP/1.1 ")).to.equal(READERS);
      expect(written).to.be.within(1, READERS / 5);
    });

    it(`is not told any more by a master that is deposed meanwhile: ${what}`, async () => {
      const socket = connect(rig.server.address.port, "127.0.0.1");
      sockets.push(socket);
      await once(socket, "connect");
      // It leads when it is asked, and not any more when it is about to answer.
      const { leader } = look();
      let looked = 0;
      look = () => ({ role: looked++ === 0 ? "leading" : "standby", leader });
      socket.write(requests.slice(0, requests.indexOf("\r\n\r\n") + 4) + (what === "GET_STATE" ? body : ""));
      const [answer] = (await once(socket, "data")) as [Buffer];
      expect(String(answer)).to.match(/^HTTP\/1\.1 307 .*\r\nLocation: \/\/m\.example:5050\/master/s);
    });
  }
});
