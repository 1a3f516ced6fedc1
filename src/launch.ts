/**
 * What runs first: chooses the bundle that holds what the command line needs and nothing else. `accelctl list` of the live machine
 * should cost little more than starting Node, and Node compiles all it is given; every other command line takes the whole.
 * (tools/build.mjs makes the bundles; docs/decisions/002.)
 */

const [verb, ...rest] = process.argv.slice(2);
const isPlainList = verb === "list" && rest.every((word) => word === "--json");
// eslint-disable-next-line @typescript-eslint/no-require-imports -- bundles of CommonJS, one of which must not be compiled
require(isPlainList ? "./list.cjs" : "./full.cjs");
