// A process that pulls one image, to be killed on the way: node pull-once.js directory registry name
import { docker, StoreBench } from "./store-bench.js";

const [directory, registry, name] = process.argv.slice(2);
const store = await StoreBench.at(directory!).open({ registry: registry! });
await store.get(docker(name!), { signal: new AbortController().signal });
process.exit(0);
