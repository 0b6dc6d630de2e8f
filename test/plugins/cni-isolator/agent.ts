import { cniIsolator, containerRequest, networkInfo } from "./support.js";

/** Run as a process of its own: an agent that joins a container to a network, to be killed in the middle. */
const [root, configs, pluginPath, id, network, pid] = process.argv.slice(2);
const isolator = await cniIsolator({ root: root!, configs: configs!, pluginPath: pluginPath! });
await isolator.prepare(containerRequest(id!, [networkInfo(network!)]));
await isolator.isolate(id!, Number(pid));
process.stdout.write("joined\n");
