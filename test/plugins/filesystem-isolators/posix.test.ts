import { mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { PosixFilesystem } from "../../../plugins/filesystem-isolators/posix.js";
import { SharedFilesystem } from "../../../plugins/filesystem-isolators/shared.js";
import { VolumeAccess } from "../../../plugins/filesystem-isolators/volume-access.js";
import { type Resource, Value_Type, type Volume, Volume_Mode } from "../../../proto/gen/mesos/v1/mesos.js";
import type { ContainerRequest } from "../../../sdk/contracts/containerizer.js";
import { Resources } from "../../../sdk/resources/index.js";
import { MemoryLogger } from "../../../sdk/testing/memory-logger.js";
import { requestFor } from "../../support/container-request.js";

const volume = (id: string, path: string, mode = Volume_Mode.RW): Resource => ({
  name: "disk",
  type: Value_Type.SCALAR,
  scalar: { value: 10 },
  reservations: [{ role: "dev/db", type: 1 }],
  disk: { persistence: { id, principal: "p" }, volume: { container_path: path, mode } },
});

const to = (...resources: Resource[]) => ({
  resources: Resources.of(resources),
  limits: {},
  pid: undefined,
});

let directory: string;
let logger: MemoryLogger;
const sandbox = (): string => join(directory, "sandbox");
const dataOf = (id: string): string => join(directory, "volumes/roles/dev db", id);

const request = (resources: readonly Resource[], volumes?: readonly Volume[]): ContainerRequest =>
  requestFor("c", {
    container: volumes && { volumes: [...volumes], network_infos: [] },
    resources: Resources.of(resources),
    directory: sandbox(),
  });

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "tepui-posix-"));
  await mkdir(sandbox());
  logger = new MemoryLogger();
});

afterEach(() => rm(directory, { recursive: true, force: true }));

const options = () => ({ workDir: directory, access: new VolumeAccess(undefined), logger });

describe("filesystem/posix", () => {
  const isolator = (): PosixFilesystem => new PosixFilesystem(options());

  it("does nothing for containers without volumes", async () => {
    expect(await isolator().prepare(request([]))).to.equal(undefined);
    expect(await readdir(sandbox())).to.deep.equal([]);
  });

  it("puts links to volumes into the sandbox, and makes the volumes", async () => {
    expect(await isolator().prepare(request([volume("v", "data"), volume("w", "deep/down/")]))).to.equal(
      undefined,
    );
    expect(await readlink(join(sandbox(), "data"))).to.equal(dataOf("v"));
    expect(await readlink(join(sandbox(), "deep/down"))).to.equal(dataOf("w"));
    expect(await readdir(dataOf("v"))).to.deep.equal([]);
  });

  it("follows what a running container has, and never touches data", async () => {
    const posix = isolator();
    await posix.prepare(request([volume("v", "one")]));
    await writeFile(join(dataOf("v"), "file"), "kept");
    await posix.update("c", to(volume("v", "one"), volume("w", "two")));
    expect((await readdir(sandbox())).sort()).to.deep.equal(["one", "two"]);
    await posix.update("c", to(volume("w", "two")));
    expect(await readdir(sandbox())).to.deep.equal(["two"]);
    await posix.cleanup("c");
    expect(await readFile(join(dataOf("v"), "file"), "utf8")).to.equal("kept");
    // Unknown by now.
    await posix.update("c", to(volume("v", "one")));
    expect(await readdir(sandbox())).to.deep.equal(["two"]);
  });

  it("takes up what an earlier run of the agent did", async () => {
    await isolator().prepare(request([volume("v", "one")]));
    const later = isolator();
    await later.recover([{ request: request([volume("v", "one")]) }]);
    await later.update("c", to(volume("v", "one"), volume("w", "two")));
    await later.update("c", to());
    expect(await readdir(sandbox())).to.deep.equal([]);
  });

  it("replaces nothing that is in the volume's place, and goes through no link", async () => {
    await symlink("/etc", join(sandbox(), "data"));
    await symlink("/etc", join(sandbox(), "deep"));
    const failure = (path: string): Promise<string> =>
      isolator()
        .prepare(request([volume("v", path)]))
        .then(() => "prepared", String);
    expect(await failure("data")).to.match(/'data' is in the sandbox already, and is something else/);
    expect(await failure("deep/tepui")).to.match(/leads through something that is not a directory/);
    expect(await readlink(join(sandbox(), "data"))).to.equal("/etc");
  });

  it("says that a link keeps nobody from writing", async () => {
    await isolator().prepare(request([volume("v", "data", Volume_Mode.RO)]));
    expect(logger.messages("warn").join()).to.match(/asked for read-only can be written/);
  });
});

describe("filesystem/shared", () => {
  const prepare = (...volumes: Volume[]) =>
    new SharedFilesystem(options()).prepare(request([volume("v", "data")], volumes));
  const refusal = (...volumes: Volume[]): Promise<string> =>
    prepare(...volumes).then(() => "prepared", String);
  const RW = Volume_Mode.RW;

  it("replaces directories of the host by directories of the sandbox", async () => {
    const contribution = await prepare({ container_path: "/var/tmp", host_path: "own/tmp", mode: RW });
    expect(contribution).to.deep.equal({
      namespaces: ["mount"],
      mounts: [{ source: join(sandbox(), "own/tmp"), target: "/var/tmp", options: ["rbind"] }],
    });
    expect((await readdir(sandbox())).sort()).to.deep.equal(["data", "own"]);
  });

  it("is as open as the directory that it replaces", async () => {
    await prepare({ container_path: "/var/tmp", host_path: "tmp", mode: RW });
    expect((await stat(join(sandbox(), "tmp"))).mode).to.equal((await stat("/var/tmp")).mode);
  });

  it("refuses what Mesos refuses", async () => {
    expect(await refusal({ container_path: "/no/such", host_path: "tmp", mode: RW })).to.match(
      /'\/no\/such' must exist on host for shared filesystem isolator/,
    );
    expect(await refusal({ container_path: "/var/tmp", mode: RW })).to.match(/must specify host path/);
    expect(await refusal({ container_path: "/var/tmp", host_path: "/no/such", mode: RW })).to.match(
      /must have host path '\/no\/such' present on host/,
    );
    expect(await refusal({ container_path: "/var/tmp", host_path: "a/../b", mode: RW })).to.match(
      /cannot contain relative components/,
    );
    expect(
      await refusal(
        { container_path: "/var", host_path: "a", mode: RW },
        { container_path: "/var/tmp", host_path: "b", mode: RW },
      ),
    ).to.match(/Cannot mount volume to '\/var\/tmp' because it is under volume '\/var'/);
  });
});
