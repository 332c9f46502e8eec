// Executes calls with the JS SDK: it reads commands as JSON lines from standard input, and writes a result line for each to
// standard output. {"failed": …} is the result of a command that can't be executed. The folder with the SDK is the one argument.

import { createRequire } from "node:module";
import http from "node:http";
import readline from "node:readline";

const require = createRequire(process.argv[2] + "/");
const omics = require("@aws-sdk/client-omics");
const { NodeHttpHandler } = require("@smithy/node-http-handler");

const clients = [];

// Every host is this machine: names with a host prefix have no address of their own.
const lookup = (_host, options, done) =>
  options.all ? done(null, [{ address: "127.0.0.1", family: 4 }]) : done(null, "127.0.0.1", 4);

const waiters = {
  GetReadSetExportJob: omics.waitUntilReadSetExportJobCompleted,
  GetReadSetImportJob: omics.waitUntilReadSetImportJobCompleted,
  GetReadSetActivationJob: omics.waitUntilReadSetActivationJobCompleted,
};

const lists = {
  ListReadSetExportJobs: [omics.paginateListReadSetExportJobs, "exportJobs"],
  ListReadSetImportJobs: [omics.paginateListReadSetImportJobs, "importJobs"],
  ListReadSetActivationJobs: [omics.paginateListReadSetActivationJobs, "activationJobs"],
  ListReadSets: [omics.paginateListReadSets, "readSets"],
};

const known = (table, name) => {
  if (!table[name]) throw new Error(`${name} is not known to the SDK`);
  return table[name];
};

// Times are objects to the SDK.
const inputOf = ({ input }) => {
  const filter = { ...input.filter };
  for (const name of ["createdAfter", "createdBefore"]) if (filter[name]) filter[name] = new Date(filter[name]);
  return input.filter ? { ...input, filter } : input;
};

const success = ({ $metadata, ...output }) => ({ output });
// An error response of a service has a fault; an error of the SDK itself has none.
const failed = (error) => {
  if (error.$fault === undefined) throw error;
  return { error: { code: error.name, status: error.$metadata.httpStatusCode, message: error.message } };
};

const orders = {
  connect(order) {
    clients.push(
      new omics.OmicsClient({
        endpoint: order.endpoint,
        region: order.region,
        credentials: {
          accessKeyId: order.access_key_id,
          secretAccessKey: order.secret_access_key,
          sessionToken: order.session_token ?? undefined,
        },
        maxAttempts: order.attempts,
        disableHostPrefix: !order.host_prefix,
        requestHandler: new NodeHttpHandler({ httpAgent: new http.Agent({ lookup, keepAlive: true }) }),
      }),
    );
    return { client: clients.length - 1 };
  },

  async call(order) {
    const Command = known(omics, `${order.operation}Command`);
    return clients[order.client].send(new Command(inputOf(order))).then(success, failed);
  },

  async pages(order) {
    const [paginate, items] = known(lists, order.operation);
    const pages = [];
    try {
      for await (const page of paginate({ client: clients[order.client] }, inputOf(order))) {
        pages.push(page[items].map(({ id }) => id));
      }
    } catch (error) {
      return failed(error);
    }
    return { pages };
  },

  async wait(order) {
    const times = { client: clients[order.client], minDelay: 0.02, maxDelay: 0.1, maxWaitTime: 60 };
    try {
      const { state, reason } = await known(waiters, order.operation)(times, order.input);
      return { waited: state.toLowerCase(), state: reason.status };
    } catch (error) {
      // A failure is an error whose message is JSON.
      const { state, reason } = JSON.parse(error.message);
      return { waited: state.toLowerCase(), state: reason.status };
    }
  },
};

for await (const line of readline.createInterface({ input: process.stdin })) {
  const order = JSON.parse(line);
  const result = await Promise.resolve(order)
    .then((order) => known(orders, order.do)(order))
    .catch((error) => ({ failed: String(error.stack) }));
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
