import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { EtcdStore } from "../../../plugins/etcd-registry/etcd-store.js";
import { firstContact } from "../../../plugins/etcd-registry/first-contact.js";
import { SystemClock } from "../../../sdk/contracts/system-clock.js";
import { EtcdClient, parseEtcdUrl } from "../../../sdk/etcd/index.js";
import { type EtcdCluster, requireEtcd, startEtcd } from "../../support/etcd-cluster.js";
import { requirePart } from "../../support/require-part.js";
import { sharedRegistryTests } from "../../support/shared-registry-tests.js";

const clock = new SystemClock();

describe("the registry in etcd", function () {
  this.timeout(60_000);
  let cluster: EtcdCluster;
  let clients: EtcdClient[] = [];

  before(async function () {
    requireEtcd(this);
    cluster = await startEtcd(3);
  });
  after(() => cluster?.stop());
  afterEach(async () => {
    await Promise.all(clients.map((client) => client.close()));
    clients = [];
  });

  function connect(authority = cluster.servers): EtcdClient {
    const client = new EtcdClient({ ...parseEtcdUrl(`etcd://${authority}/x`), clock, timeout: 1000 });
    clients.push(client);
    return client;
  }

  sharedRegistryTests({
    engine: "etcd",
    cluster: () => cluster,
    connect: () => {
      const client = connect();
      return (path) => new EtcdStore({ client, path, clock });
    },
  });

  it("asks with user and password, again when its token is no longer known, and says so when they are wrong", async () => {
    const root = connect(`root:secret@${cluster.servers}`);
    const post = async (path: string, body: object) => {
      const [, port] = /:(\d+)/.exec(cluster.servers)!;
      const answer = await fetch(`http://127.0.0.1:${port}/v3/auth/${path}`, {
        method: "POST",
        body: JSON.stringify(body),
      });
      expect(answer.status, await answer.text()).to.equal(200);
    };
    await post("user/add", { name: "root", password: "secret" });
    await post("user/grant", { user: "root", role: "root" });
    await post("user/add", { name: "guest", password: "guest" });
    await post("enable", {});
    const contact = (authority: string) => {
      const store = new EtcdStore({ client: connect(authority), path: "/auth", clock });
      return firstContact({ store, url: "etcd://there/auth", limit: 10_000, clock }).then(
        () => "contact",
        (error: unknown) => String(error),
      );
    };
    try {
      expect(await contact(`root:secret@${cluster.servers}`)).to.equal("contact");
      for (const authority of ["root:wrong@", "guest:guest@", ""]) {
        const text = await contact(`${authority}${cluster.servers}`);
        expect(text).to.contain("etcd does not let this daemon use its keys").and.to.not.contain("wrong@");
      }
      await root.get("/auth");
      // Servers forget their tokens when they start again.
      for (const node of cluster.nodes) {
        await node.kill();
        node.start();
      }
      await cluster.ready();
      const store = new EtcdStore({ client: root, path: "/auth", clock });
      expect(await store.persist(() => store.readHead())).to.equal(undefined);
    } finally {
      const store = new EtcdStore({ client: root, path: "/auth", clock });
      const off = { kind: "put", key: "/auth/last", data: Buffer.from("x") } as const;
      await store.persist(() => root.transaction([], [off]));
    }
  });
});

describe("the registry in etcd, over TLS", function () {
  this.timeout(60_000);
  let folder: string;
  let cluster: EtcdCluster | undefined;

  before(function () {
    requireEtcd(this);
    requirePart(this, "openssl", "openssl");
    folder = mkdtempSync(join(tmpdir(), "tepui-etcd-tls-"));
  });
  after(async () => {
    await cluster?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it("is there for who has a certificate, and for nobody else", async () => {
    const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    const name = ["-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1"];
    const files = ["-keyout", key, "-out", cert];
    execFileSync(
      "openssl",
      ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", ...files, ...name],
      {
        stdio: "ignore",
      },
    );
    const tls = { ca: cert, cert, key };
    cluster = await startEtcd(1, tls);
    const url = parseEtcdUrl(`etcds://${cluster.servers}/x`);
    const known = new EtcdClient({ ...url, tls, clock });
    const unknown = new EtcdClient({ ...url, tls: { ca: cert }, clock });
    const missing = new EtcdClient({ ...url, tls: { ca: join(folder, "none.pem") }, clock });
    try {
      const store = new EtcdStore({ client: known, path: "/x", clock });
      expect(await store.persist(() => store.readHead())).to.equal(undefined);
      const errorOf = (client: EtcdClient) =>
        client.get("/x").then(String, (error: unknown) => String(error));
      expect(await errorOf(unknown)).to.match(/certificate|closed|socket/i);
      expect(await errorOf(missing)).to.contain("none.pem");
    } finally {
      await Promise.all([known.close(), unknown.close(), missing.close()]);
    }
  });
});
