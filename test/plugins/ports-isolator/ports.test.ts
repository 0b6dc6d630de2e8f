import { expect } from "chai";
import fc from "fast-check";
import { isolatedPorts } from "../../../plugins/ports-isolator/isolated-ports.js";
import { addListening } from "../../../plugins/ports-isolator/listening-sockets.js";
import { includesPort, rangesOf, rangesText } from "../../../plugins/ports-isolator/port-ranges.js";

describe("the ports that network/ports looks at", () => {
  const flags = { check_agent_port_range_only: false, default_role: "*" };

  it("are all, without flags", () => {
    expect(isolatedPorts(flags)).to.equal(undefined);
  });

  it("are the range given", () => {
    expect(
      isolatedPorts({ ...flags, container_ports_isolated_range: "[1024-2000,3000-3001]" }),
    ).to.deep.equal([
      { begin: 1024, end: 2000 },
      { begin: 3000, end: 3001 },
    ]);
  });

  it("are the agent's, which may be none", () => {
    const only = { ...flags, check_agent_port_range_only: true };
    expect(isolatedPorts(only)).to.deep.equal([{ begin: 31000, end: 32000 }]);
    expect(isolatedPorts({ ...only, resources: "cpus:2" })).to.deep.equal([{ begin: 31000, end: 32000 }]);
    expect(isolatedPorts({ ...only, resources: "cpus:2;ports(web):[80-81]" })).to.deep.equal([
      { begin: 80, end: 81 },
    ]);
    expect(isolatedPorts({ ...only, resources: "ports:[]" })).to.deep.equal([]);
  });

  it("are not given twice, and not in other words", () => {
    const both = { ...flags, check_agent_port_range_only: true, container_ports_isolated_range: "[1-2]" };
    expect(() => isolatedPorts(both)).to.throw(/Only one of/);
    for (const text of ["4", "{a}", "[x-y]", ""])
      expect(() => isolatedPorts({ ...flags, container_ports_isolated_range: text })).to.throw(
        /expecting ranges/,
      );
  });
});

describe("ranges of ports", () => {
  it("hold exactly the ports that they were made of, in as few pieces as can be", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 200 })), (ports) => {
        const ranges = rangesOf(ports);
        for (let port = 0; port <= 201; port++)
          expect(includesPort(ranges, port)).to.equal(ports.includes(port));
        for (const [index, { begin }] of ranges.slice(1).entries())
          expect(Number(begin)).to.be.greaterThan(Number(ranges[index]!.end) + 1);
      }),
    );
  });

  it("print as Mesos prints them", () => {
    expect(rangesText(rangesOf([31005, 31001, 31000]))).to.equal("[31000-31001, 31005-31005]");
  });
});

describe("the kernel's table of TCP sockets", () => {
  it("tells which inodes listen on which port", () => {
    const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:13BB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 5001 1 0000000000000000 100 0 0 10 0
   1: 0100007F:13BB 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 5002 1 0000000000000000 20 4 30 10 -1
   2: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 0 1 0000000000000000 100 0 0 10 0
`;
    const six = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 6001 1 0000000000000000 100 0 0 10 0
`;
    const found = new Map<string, number>();
    addListening(table, found);
    addListening(six, found);
    expect([...found]).to.deep.equal([
      ["5001", 5051],
      ["6001", 8080],
    ]);
  });
});
