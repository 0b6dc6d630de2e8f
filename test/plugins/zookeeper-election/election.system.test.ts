import { expect } from "chai";
import { firstContact } from "../../../plugins/zookeeper-election/first-contact.js";
import { ZooKeeperDetector } from "../../../plugins/zookeeper-election/zookeeper-detector.js";
import { MasterInfo } from "../../../proto/gen/mesos/v1/mesos.js";
import { CREATOR_ACCESS, OPEN_ACCESS } from "../../../sdk/zookeeper/index.js";
import { freePort } from "../../support/daemons.js";
import { eventually } from "../../support/eventually.js";
import { type Ensemble, requireZooKeeper, startEnsemble } from "../../support/zookeeper-ensemble.js";
import { Contender, CutClient, clock, random, Stage } from "./contender.js";

const LIMIT_MS = 30_000;
/** A session, in milliseconds, whose end is waited for. */
const BRIEF = 2000;

describe("election through a ZooKeeper ensemble", function () {
  this.timeout(90_000);
  let ensemble: Ensemble;
  let stage: Stage;
  let contenders: Contender[] = [];
  let others: CutClient[] = [];
  let paths = 0;
  let path = "";

  before(async function () {
    requireZooKeeper(this);
    ensemble = await startEnsemble(3);
  });
  after(() => ensemble?.stop());
  beforeEach(() => {
    stage = new Stage();
    path = `/cluster-${++paths}/mesos`;
  });
  afterEach(async () => {
    for (const node of ensemble.nodes) {
      node.thaw();
      if (!node.running) node.start();
    }
    await Promise.all(contenders.map((contender) => contender.stop()));
    await Promise.all(others.map(({ client }) => client.close()));
    contenders = [];
    others = [];
    await ensemble.ready();
    expect(stage.clashes).to.deep.equal([]);
  });

  const url = (credentials = ""): string => `zk://${credentials}${ensemble.servers}${path}`;

  async function stand(names: readonly string[], session?: number): Promise<Contender[]> {
    for (const name of names) {
      const contender = new Contender(name, stage, { url: url(), session });
      contenders.push(contender);
      contender.start();
      // One after the other, so that their numbers are in this order.
      await eventually(() => contender.knows, LIMIT_MS);
    }
    return contenders;
  }

  async function client(from = url(), session?: number): Promise<CutClient> {
    const made = new CutClient(from, session);
    others.push(made);
    made.client.start();
    await eventually(() => made.client.connected || undefined, LIMIT_MS);
    return made;
  }

  const leads = (name: string) => eventually(() => (stage.leader === name ? true : undefined), LIMIT_MS);
  const allKnow = (name: string, among = contenders) =>
    eventually(() => (among.every(({ knows }) => knows === name) ? true : undefined), LIMIT_MS);

  it("is won by who came first, and goes on in the order of coming", async () => {
    const [a, b] = await stand(["a", "b", "c"]);
    await leads("a");
    await allKnow("a");
    await a!.withdraw();
    stage.leading.delete("a");
    await leads("b");
    await b!.stop();
    await leads("c");
    expect(stage.events).to.deep.equal(["a elected", "b elected", "c elected"]);
  });

  it("keeps a leader whose connections break for less than its session", async () => {
    const [a] = await stand(["a", "b"]);
    const session = a!.client.sessionId;
    for (let i = 0; i < 5; i++) {
      const back = new Promise<boolean>((resolve) => {
        const unlisten = a!.client.listen({
          connected: (resumed) => {
            unlisten();
            resolve(resumed);
          },
        });
      });
      a!.drop();
      expect(await back).to.equal(true);
    }
    expect(a!.client.sessionId).to.equal(session);
    expect(stage.events).to.deep.equal(["a elected"]);
  });

  it("deposes a leader that is cut off before it elects another", async () => {
    const [a] = await stand(["a"], BRIEF);
    await stand(["b"]);
    a!.sever();
    await leads("b");
    expect(stage.events[1]).to.match(/^a lost: ZooKeeper has not confirmed it for \d+ ms$/);
    expect(stage.events[2]).to.equal("b elected");
    // It does not know who leads, least of all itself.
    expect(a!.knows).to.equal(undefined);
    a!.mend();
    await allKnow("b");
    expect(stage.events).to.have.length(3);
  });

  it("never has two leaders while servers are killed, frozen and started again", async () => {
    await stand(["a", "b", "c"], BRIEF);
    for (const node of ensemble.nodes) {
      await node.kill();
      await eventually(() => stage.leader, LIMIT_MS);
      node.start();
      await ensemble.ready();
    }
    for (const node of ensemble.nodes) {
      node.freeze();
      await eventually(async () => ((await ensemble.leader()) === undefined ? undefined : true), LIMIT_MS);
      await eventually(() => stage.leader, LIMIT_MS);
      node.thaw();
    }
    const leader = await eventually(() => stage.leader, LIMIT_MS);
    await allKnow(leader);
  });

  it("survives the loss of the whole ensemble: nobody leads meanwhile, standbys and agents remember", async () => {
    const [a, b] = await stand(["a", "b"], BRIEF);
    const agent = await client(url(), BRIEF);
    const detector = new ZooKeeperDetector({ client: agent.client, path, clock, logger: agent.logger });
    const told: (string | undefined)[] = [];
    detector.watch((leader) => told.push(leader?.id));
    detector.start();
    await eventually(() => told.at(-1), LIMIT_MS);
    await Promise.all(ensemble.nodes.map((node) => node.kill()));
    await eventually(() => (stage.leading.size === 0 ? true : undefined), LIMIT_MS);
    for (const each of [a!, b!, agent]) {
      await eventually(() => (each.client.sessionId === 0n ? true : undefined), LIMIT_MS);
    }
    expect(a!.knows).to.equal(undefined);
    expect(b!.knows).to.equal("a");
    expect(told).to.deep.equal([undefined, "a"]);
    for (const node of ensemble.nodes) node.start();
    await ensemble.ready();
    const leader = await eventually(() => stage.leader, LIMIT_MS);
    await allKnow(leader);
    await eventually(() => (told.at(-1) === leader ? true : undefined), LIMIT_MS);
    detector.stop();
    // Told now and then, not at every attempt.
    const complaints = a!.logger.messages("warn").filter((text) => text.includes("can be reached"));
    expect(complaints.length).to.be.within(1, 6);
  });

  it("takes the leadership from whose node is deleted by hand, and lets it stand again", async () => {
    const [a] = await stand(["a", "b"]);
    const hand = await client();
    const [first] = (await hand.client.getChildren(path)).sort();
    await hand.client.delete(`${path}/${first}`);
    await leads("b");
    await eventually(() => expect(stage.events).to.have.length(3));
    // No session came to an end first, as otherwise: the two learn of it in any order.
    expect(stage.events).to.have.members(["a elected", "a lost: its node in ZooKeeper is gone", "b elected"]);
    stage.clashes.splice(0);
    await allKnow("b");
    await eventually(
      async () => ((await hand.client.getChildren(path)).length === 2 ? true : undefined),
      LIMIT_MS,
    );
    await contenders[1]!.stop();
    await leads("a");
    expect(a!.knows).to.equal("a");
  });

  it("follows candidates of every format that Mesos has had, and passes over other nodes", async () => {
    const hand = await client();
    const detector = new ZooKeeperDetector({ client: hand.client, path, clock, logger: hand.logger });
    const told: (string | undefined)[] = [];
    detector.watch((leader) => told.push(leader?.id));
    detector.start();
    const now = (id: string | undefined) =>
      eventually(() => (told.at(-1) === id ? true : undefined), LIMIT_MS);
    const old = MasterInfo.fromPartial({ id: "old", ip: 16_777_343, port: 1, pid: "master@127.0.0.1:1" });
    const make = (name: string, data: Uint8Array | string) =>
      hand.client.create({ path: `${path}/${name}`, data: Buffer.from(data), access: OPEN_ACCESS });
    await hand.client.createPath(path, OPEN_ACCESS);
    await make("log_replicas", "");
    await make("info_0000000009", MasterInfo.encode(old).finish());
    await now("old");
    await make("0000000008", "master@127.0.0.1:5050");
    await now("master@127.0.0.1:5050");
    await make("json.info_0000000007", new Contender("json", stage, { url: url() }).data);
    await now("json");
    // Who cannot be read leads all the same.
    await make("json.info_0000000006", "{");
    await now(undefined);
    expect(hand.logger.messages("error").join()).to.contain("the leading master's node cannot be read");
    await hand.client.delete(`${path}/json.info_0000000006`);
    await now("json");
    detector.stop();
  });

  it("guards its nodes with the credentials, and lets everybody see who leads", async () => {
    const a = new Contender("a", stage, { url: url("user:p@ss@") });
    contenders.push(a);
    a.start();
    await leads("a");
    const stranger = await client();
    const [node] = await stranger.client.getChildren(path);
    expect((await stranger.client.getData(`${path}/${node}`)).data.equals(a.data)).to.equal(true);
    const refused = await stranger.client.delete(`${path}/${node}`).catch((error: unknown) => error);
    expect(refused).to.include({ code: "no-auth" });
    const wrong = await client(url("user:wrong@"));
    const error = await firstContact({
      client: wrong.client,
      path,
      access: CREATOR_ACCESS,
      url: "zk://x",
      limit: LIMIT_MS,
      clock,
      random,
    }).catch((thrown: unknown) => thrown);
    expect(error).to.include({ code: "TEPUI_ZOOKEEPER_REFUSED" });
    expect(String(error)).to.contain("not authorized").and.not.contain("wrong");
  });

  it("ends the wait for an ensemble that is not there", async () => {
    const nobody = new CutClient(`zk://127.0.0.1:${await freePort()}/mesos`);
    others.push(nobody);
    nobody.client.start();
    const error = await firstContact({
      client: nobody.client,
      path,
      access: OPEN_ACCESS,
      url: "zk://x",
      limit: 300,
      clock,
      random,
    }).catch((thrown: unknown) => thrown);
    expect(error).to.include({ code: "TEPUI_ZOOKEEPER_UNREACHABLE" });
  });

  it("leaves no trace of the first contact", async () => {
    const made = await client();
    await firstContact({
      client: made.client,
      path,
      access: OPEN_ACCESS,
      url: "zk://x",
      limit: LIMIT_MS,
      clock,
      random,
    });
    expect(await made.client.getChildren(path)).to.deep.equal([]);
  });
});
