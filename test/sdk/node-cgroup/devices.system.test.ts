import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { CgroupError, type DeviceRule, openCgroups } from "../../../sdk/node-cgroup/index.js";
import { PATIENCE } from "../../support/eventually.js";
import { requireThat } from "../../support/require-part.js";
import { canMakeGroups, TestGroups } from "./test-groups.js";

const host = await openCgroups();

const NULL: DeviceRule = { type: "c", major: 1, minor: 3, access: "rwm" };
const ZERO: DeviceRule = { type: "c", major: 1, minor: 5, access: "r" };

/** For each line that it reads, `<program> <argument>...`, the program's status. */
const TRIER = [
  "perl",
  "-e",
  '$| = 1; while (<STDIN>) { chomp; print system("exec 2>&-; exec $_") ? "denied" : "allowed", "\\n" }',
];

describe("devices of a control group", function () {
  this.timeout(60_000 * PATIENCE);
  let groups: TestGroups;
  let directory: string;

  before(function () {
    requireThat(this, canMakeGroups(host), "control groups need root");
  });

  beforeEach(async () => {
    groups = await TestGroups.open();
    directory = await mkdtemp(join(tmpdir(), "tepui-devices-"));
  });

  afterEach(async () => {
    await groups.close();
    await rm(directory, { recursive: true });
  });

  it("are those of the rules alone, as of when they are set", async () => {
    const group = groups.make("devices");
    const trier = groups.run(group, ...TRIER);
    let nodes = 0;
    const ask = async (command: string): Promise<string | undefined> => {
      trier.write(`${command}\n`);
      return await trier.line();
    };
    const makeNode = (number: string): Promise<string | undefined> => {
      nodes += 1;
      return ask(`mknod ${directory}/${nodes} ${number}`);
    };
    expect(await ask("head -c 1 /dev/zero >/dev/null"), "before any rule").to.equal("allowed");

    await group.devices.set([NULL]);
    expect(await ask("true >/dev/null")).to.equal("allowed");
    expect(await ask("head -c 1 /dev/zero >/dev/null")).to.equal("denied");
    expect(await makeNode("c 1 3")).to.equal("allowed");
    expect(await makeNode("c 1 5")).to.equal("denied");
    expect(await makeNode("b 1 3")).to.equal("denied");

    await group.devices.set([NULL, ZERO, { type: "b", access: "m" }]);
    expect(await ask("true >/dev/null")).to.equal("allowed");
    expect(await ask("head -c 1 /dev/zero >/dev/null")).to.equal("allowed");
    expect(await ask("true >/dev/zero"), "reading is not writing").to.equal("denied");
    expect(await makeNode("c 1 5")).to.equal("denied");
    expect(await makeNode("b 7 0")).to.equal("allowed");

    await group.devices.set([{ type: "c", major: 1, access: "rw" }]);
    expect(await ask("head -c 1 /dev/zero >/dev/null")).to.equal("allowed");
    expect(await makeNode("c 1 3")).to.equal("denied");
    expect(await makeNode("b 7 0")).to.equal("denied");

    await group.devices.set([]);
    expect(await ask("true >/dev/null")).to.equal("denied");
  });

  it("stay allowed throughout where the old rules and the new ones do", async () => {
    const group = groups.make("devices");
    const script = `$| = 1; $SIG{TERM} = sub { print "failed $failed of $tried\\n"; exit };
      while (1) { open(my $handle, "<", "/dev/null") or $failed++; print "trying\\n" if ++$tried == 1 }`;
    await group.devices.set([NULL]);
    const opening = groups.run(group, "perl", "-e", `my ($failed, $tried) = (0, 0); ${script}`);
    expect(await opening.line()).to.equal("trying");
    for (let round = 0; round < 50; round += 1)
      await group.devices.set(round % 2 === 0 ? [NULL, ZERO] : [NULL]);
    process.kill(opening.pid, "SIGTERM");
    expect(await opening.line()).to.match(/^failed 0 of \d+$/);
  });

  it("are no more than those of the group above", async () => {
    const above = groups.make("devices");
    const below = host.group(`${above.path}/below`, ["freezer", "devices"]);
    await above.devices.set([NULL]);
    below.create();
    // v1 refuses what v2 lets stand without effect.
    const refused = await below.devices.set([NULL, ZERO]).catch((error: unknown) => error);
    if (host.version("devices") === 1)
      expect(refused).to.be.instanceOf(CgroupError).with.property("errno", "EPERM");
    const trier = groups.run(below, ...TRIER);
    trier.write("true >/dev/null\n");
    expect(await trier.line()).to.equal("allowed");
    trier.write("head -c 1 /dev/zero >/dev/null\n");
    expect(await trier.line()).to.equal("denied");
  });

  if (host.version("devices") === 1)
    it("are to be set before groups are made below (v1)", async () => {
      const above = groups.make("devices");
      host.group(`${above.path}/below`, ["devices"]).create();
      const refused = await above.devices.set([NULL]).catch((error: unknown) => error);
      expect(refused).to.be.instanceOf(CgroupError);
      expect(String(refused)).to.contain("groups below are in the way");
    });

  it("are told wrong from right before anything is changed", async () => {
    const group = groups.make("devices");
    const wrong = await group.devices
      .set([{ type: "c", major: 1.5, access: "rwm" }])
      .catch((error: unknown) => error);
    expect(wrong).to.be.instanceOf(CgroupError).with.property("errno", "EINVAL");
    expect(
      await group.devices.set([{ type: "c", access: "x" }]).catch((error: unknown) => error),
    ).to.be.instanceOf(CgroupError);
  });
});
