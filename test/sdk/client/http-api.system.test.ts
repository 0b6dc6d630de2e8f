import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { parseAddress } from "../../../sdk/client/address.js";
import { ProtocolError, UnreachableError } from "../../../sdk/client/errors.js";
import { HttpApi } from "../../../sdk/client/http-api.js";

describe("HttpApi", () => {
  let server: Server;
  let api: HttpApi;
  let answer: (response: ServerResponse) => void;

  beforeEach(async () => {
    server = createServer((_, response) => answer(response)).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const address = parseAddress(`127.0.0.1:${port}`, 5050);
    api = await HttpApi.create({ address, path: "/api", headers: {}, timeout: 10_000 });
  });

  afterEach(async () => {
    await api.close();
    server.closeAllConnections();
    server.close();
  });

  /** The records up to the end of the stream. */
  async function read(): Promise<string[]> {
    const { records } = await api.open(Buffer.from("{}"), new AbortController().signal);
    const found: string[] = [];
    for await (const record of records) found.push(Buffer.from(record).toString());
    return found;
  }

  const rejected = (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => undefined,
      (error: unknown) => error,
    );

  it("gives the records of a stream that ends between two", async () => {
    answer = (response) => response.end("2\nhi0\n5\nthere");
    expect(await read()).to.deep.equal(["hi", "", "there"]);
  });

  it("says that a peer does not speak the protocol", async () => {
    answer = (response) => response.end("<html>not a master</html>");
    const error = await rejected(read());
    expect(error).to.be.instanceOf(ProtocolError);
    expect(String(error)).to.contain("records");
  });

  it("asks whether the port is right where something else than HTTP/1.1 is spoken", async () => {
    // The beginning of HTTP/2, as a gRPC server sends it.
    server.prependListener("connection", (socket) => socket.end(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])));
    expect(String(await rejected(read()))).to.contain("no HTTP/1.1 is spoken there; is it the right port?");
  });

  it("takes an end within a record for a connection that broke", async () => {
    answer = (response) => response.end("10\nhalf");
    expect(await rejected(read())).to.be.instanceOf(UnreachableError);
  });
});
