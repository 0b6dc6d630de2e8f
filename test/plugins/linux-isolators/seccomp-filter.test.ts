import { expect } from "chai";
import fc from "fast-check";
import { compileFilter } from "../../../plugins/linux-isolators/seccomp/filter.js";
import { parseProfile, type SeccompProfile } from "../../../plugins/linux-isolators/seccomp/profile.js";
import { architecturesOf } from "../../../plugins/linux-isolators/seccomp/system-calls.js";
import { runFilter } from "./bpf-machine.js";

const ALLOW = 0x7fff0000;
const EPERM = 0x00050001;
const architectures = architecturesOf("x64")!;
const [native, compat] = architectures;
const facts = { architectures, capabilities: new Set<string>(), kernel: "6.1.0-27-amd64" };

const profile = (text: unknown): SeccompProfile => parseProfile(JSON.stringify(text), "p.json");

function outcome(
  of: SeccompProfile,
  name: string,
  args: readonly (number | bigint)[] = [],
  more = facts,
): number {
  const number = native!.numbers.get(name)!;
  const call = { number, architecture: native!.audit, args: args.map(BigInt) };
  return runFilter(compileFilter(of, more), call);
}

describe("a seccomp filter", () => {
  it("gives listed calls their action and all others the default", () => {
    const of = profile({
      defaultAction: "SCMP_ACT_ERRNO",
      syscalls: [
        { names: ["read", "write", "openat", "made_up_call"], action: "SCMP_ACT_ALLOW" },
        { name: "mount", action: "SCMP_ACT_KILL_PROCESS" },
        { names: ["clone3"], action: "SCMP_ACT_ERRNO", errnoRet: 38 },
      ],
    });
    expect(outcome(of, "read")).to.equal(ALLOW);
    expect(outcome(of, "openat")).to.equal(ALLOW);
    expect(outcome(of, "open")).to.equal(EPERM);
    expect(outcome(of, "mount")).to.equal(0x80000000);
    expect(outcome(of, "clone3")).to.equal(0x00050000 + 38);
  });

  it("knows the calls of the 32-bit convention where the profile lists it, and refuses it where not", () => {
    const rule = { names: ["getpid"], action: "SCMP_ACT_ALLOW" };
    const both = profile({
      defaultAction: "SCMP_ACT_ERRNO",
      archMap: [{ architecture: "SCMP_ARCH_X86_64", subArchitectures: ["SCMP_ARCH_X86", "SCMP_ARCH_X32"] }],
      syscalls: [rule],
    });
    const one = profile({ defaultAction: "SCMP_ACT_ERRNO", syscalls: [rule] });
    const call = { number: compat!.numbers.get("getpid")!, architecture: compat!.audit, args: [] };
    expect(runFilter(compileFilter(both, facts), call)).to.equal(ALLOW);
    expect(runFilter(compileFilter(one, facts), call)).to.equal(EPERM);
    // The same number means something else to a 64-bit process.
    expect(runFilter(compileFilter(both, facts), { ...call, architecture: native!.audit })).to.equal(EPERM);
  });

  it("refuses x32 calls, which go by 64-bit rules otherwise", () => {
    const of = profile({
      defaultAction: "SCMP_ACT_ERRNO",
      syscalls: [{ names: ["read"], action: "SCMP_ACT_ALLOW" }],
    });
    const call = { number: 0x40000000, architecture: native!.audit, args: [] };
    expect(runFilter(compileFilter(of, facts), call)).to.equal(EPERM);
  });

  it("takes capabilities, architectures and the kernel into account", () => {
    const of = profile({
      defaultAction: "SCMP_ACT_ERRNO",
      syscalls: [
        { names: ["mount"], action: "SCMP_ACT_ALLOW", includes: { caps: ["CAP_SYS_ADMIN"] } },
        {
          names: ["clone"],
          action: "SCMP_ACT_ALLOW",
          excludes: { caps: ["CAP_SYS_ADMIN"], arches: ["s390"] },
        },
        { names: ["ptrace"], action: "SCMP_ACT_ALLOW", includes: { minKernel: "4.8" } },
        { names: ["bpf"], action: "SCMP_ACT_ALLOW", includes: { minKernel: "6.2" } },
        { names: ["arch_prctl"], action: "SCMP_ACT_ALLOW", includes: { arches: ["amd64", "x32"] } },
      ],
    });
    const admin = { ...facts, capabilities: new Set(["SYS_ADMIN"]) };
    expect(outcome(of, "mount")).to.equal(EPERM);
    expect(outcome(of, "mount", [], admin)).to.equal(ALLOW);
    expect(outcome(of, "clone")).to.equal(ALLOW);
    expect(outcome(of, "clone", [], admin)).to.equal(EPERM);
    expect(outcome(of, "ptrace")).to.equal(ALLOW);
    expect(outcome(of, "bpf")).to.equal(EPERM);
    expect(outcome(of, "arch_prctl")).to.equal(ALLOW);
  });

  it("compares arguments of 64 bits as the operators say", () => {
    const big = fc.bigInt(0n, (1n << 53n) - 1n);
    const near = (value: bigint): fc.Arbitrary<bigint> =>
      fc.oneof(
        fc.constantFrom(
          value,
          value + 1n,
          value === 0n ? 0n : value - 1n,
          value ^ (1n << 32n),
          value + (1n << 40n),
        ),
        fc.bigInt(0n, (1n << 64n) - 1n),
      );
    const cases = fc
      .tuple(
        fc.constantFrom("NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ"),
        big,
        big,
        fc.integer({ min: 0, max: 5 }),
      )
      .chain(([op, value, two, index]) =>
        near(op === "MASKED_EQ" ? two : value).map((given) => ({ op, value, two, index, given })),
      );
    fc.assert(
      fc.property(cases, ({ op, value, two, index, given }) => {
        const of = profile({
          defaultAction: "SCMP_ACT_ERRNO",
          syscalls: [
            {
              names: ["personality"],
              action: "SCMP_ACT_ALLOW",
              args: [{ index, value: Number(value), valueTwo: Number(two), op: `SCMP_CMP_${op}` }],
            },
          ],
        });
        const args = [0n, 0n, 0n, 0n, 0n, 0n];
        args[index] = given;
        const holds = {
          NE: given !== value,
          LT: given < value,
          LE: given <= value,
          EQ: given === value,
          GE: given >= value,
          GT: given > value,
          MASKED_EQ: (given & value) === two,
        }[op];
        expect(outcome(of, "personality", args)).to.equal(holds ? ALLOW : EPERM);
      }),
    );
  });

  it("wants all tests of several arguments, and one of several tests of the same", () => {
    const of = profile({
      defaultAction: "SCMP_ACT_ERRNO",
      syscalls: [
        {
          names: ["socket"],
          action: "SCMP_ACT_ALLOW",
          args: [
            { index: 0, value: 2, op: "SCMP_CMP_EQ" },
            { index: 1, value: 1, op: "SCMP_CMP_EQ" },
          ],
        },
        {
          names: ["personality"],
          action: "SCMP_ACT_ALLOW",
          args: [
            { index: 0, value: 0, op: "SCMP_CMP_EQ" },
            { index: 0, value: 8, op: "SCMP_CMP_EQ" },
          ],
        },
      ],
    });
    expect(outcome(of, "socket", [2, 1])).to.equal(ALLOW);
    expect(outcome(of, "socket", [2, 2])).to.equal(EPERM);
    expect(outcome(of, "socket", [1, 1])).to.equal(EPERM);
    expect([0, 8, 9].map((value) => outcome(of, "personality", [value]))).to.deep.equal([
      ALLOW,
      ALLOW,
      EPERM,
    ]);
  });

  it("gives each of all calls what the list says, whatever the list", () => {
    const names = [...native!.numbers.keys()];
    const actions = { SCMP_ACT_ALLOW: ALLOW, SCMP_ACT_LOG: 0x7ffc0000, SCMP_ACT_TRAP: 0x00030000 };
    const action = fc.constantFrom(...(Object.keys(actions) as (keyof typeof actions)[]));
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...names), action, { maxKeys: 250 }), (wanted) => {
        const syscalls = Object.entries(wanted).map(([name, to]) => ({ names: [name], action: to }));
        const program = compileFilter(profile({ defaultAction: "SCMP_ACT_ERRNO", syscalls }), facts);
        for (const [name, number] of native!.numbers) {
          const result = runFilter(program, { number, architecture: native!.audit, args: [] });
          expect(result, name).to.equal(name in wanted ? actions[wanted[name]!] : EPERM);
        }
      }),
      { numRuns: 20 },
    );
  });
});

describe("a seccomp profile", () => {
  it("is refused with the place of what is wrong", () => {
    const problem = (text: string): string => {
      try {
        parseProfile(text, "/etc/p.json");
        return "";
      } catch (error) {
        return String(error);
      }
    };
    expect(problem("{")).to.match(/'\/etc\/p\.json': .*JSON/);
    expect(problem("{}")).to.match(/defaultAction/);
    expect(problem('{"defaultAction":"SCMP_ACT_NOTIFY"}')).to.match(/defaultAction: .*SCMP_ACT_ALLOW/);
    const rule = {
      names: ["read"],
      action: "SCMP_ACT_ALLOW",
      args: [{ index: 9, value: 0, op: "SCMP_CMP_EQ" }],
    };
    expect(problem(JSON.stringify({ defaultAction: "SCMP_ACT_ALLOW", syscalls: [rule] }))).to.match(
      /syscalls\.0\.args\.0\.index/,
    );
  });
});
