import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { FileSecretResolver } from "../../../plugins/secret-resolver/file-secret-resolver.js";
import { type Secret, Secret_Type } from "../../../proto/gen/mesos/v1/mesos.js";

describe("secrets", () => {
  let directory: string;
  const value = (text: string): Secret => ({ type: Secret_Type.VALUE, value: { data: Buffer.from(text) } });
  const reference = (name: string, key?: string): Secret => ({
    type: Secret_Type.REFERENCE,
    reference: { name, ...(key !== undefined && { key }) },
  });
  const outcome = async (secret: Secret, root: string | undefined = directory): Promise<string> =>
    new FileSecretResolver(root).resolve(secret).then((bytes) => bytes.toString(), String);

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "tepui-secrets-"));
    await mkdir(join(directory, "store", "db"), { recursive: true });
    await writeFile(join(directory, "store", "token"), "t0ken");
    await writeFile(join(directory, "store", "db", "password"), "pa55");
    await writeFile(join(directory, "outside"), "not for tasks");
    await symlink(join(directory, "outside"), join(directory, "store", "link"));
  });
  after(() => rm(directory, { recursive: true }));

  it("are what they say, where they are values", async () => {
    expect(await outcome(value("s3cret"))).to.equal("s3cret");
  });

  it("are files of the operator, where they are references", async () => {
    const root = join(directory, "store");
    expect(await outcome(reference("token"), root)).to.equal("t0ken");
    expect(await outcome(reference("db", "password"), root)).to.equal("pa55");
  });

  it("are refused by name where they cannot be had, and never shown", async () => {
    const root = join(directory, "store");
    const without = new FileSecretResolver(undefined);
    expect(await without.resolve(reference("token")).then(String, String)).to.match(
      /'token' is a reference.*values only/,
    );
    expect(await outcome(reference("missing"), root)).to.match(/'missing' cannot be read: ENOENT/);
    for (const way of ["../outside", "link", "."]) {
      expect(await outcome(reference(way), root), way).to.match(/leaves the directory of secrets/);
    }
    expect(await outcome({ type: Secret_Type.VALUE })).to.match(/type VALUE and has no value/);
    expect(await outcome({})).to.match(/neither of type VALUE nor REFERENCE/);
    expect(await outcome({ ...value("s3cret"), ...reference("x"), type: Secret_Type.VALUE }))
      .to.match(/both/)
      .and.not.match(/s3cret/);
  });
});
