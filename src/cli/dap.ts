/** `tdxflow dap`: the debug adapter for any client of the Debug Adapter Protocol, on standard input and output or on TCP. */
import { type AddressInfo, createServer, type Socket } from "node:net";
import type { TdxDebugSession } from "../adapter/session.ts";
import { type CommandLine, EXIT_FINE, parseCommand, UsageError } from "./command.ts";
import { adapterHost } from "./files.ts";

const HIGHEST_PORT = 65_535;

export const dapCommand: CommandLine = {
  name: "dap",
  usage: "tdxflow dap [--port N]",
  summary: "Serve a client of the Debug Adapter Protocol, on standard input and output or on a local TCP port.",
  options: {
    port: { type: "string", value: "N", help: "listen on this port of 127.0.0.1; 0 chooses one and prints it" },
  },
  run: async (args) => {
    const { positionals, numbers } = parseCommand(dapCommand, args);
    if (positionals.length > 0) throw new UsageError(`what is ${positionals[0]}?\nusage: ${dapCommand.usage}`);
    const { port } = numbers;
    if (port !== undefined && port > HIGHEST_PORT) throw new UsageError(`--port takes at most ${HIGHEST_PORT}`);
    // Loaded here, so that the other commands start without it.
    const { TdxDebugSession: Session } = await import("../adapter/session.ts");
    if (port === undefined) await serveStandardStreams(Session);
    else await serveTcp(Session, port);
    return EXIT_FINE;
  },
};

/** Serves one client, until it disconnects or closes the input. */
function serveStandardStreams(Session: typeof TdxDebugSession): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      process.stdin.destroy();
      resolve();
    };
    process.stdin.on("close", done);
    new Session(adapterHost(), done).start(process.stdin, process.stdout);
  });
}

/** Serves a session for each connection. Ends with the process. */
function serveTcp(Session: typeof TdxDebugSession, port: number): Promise<void> {
  return new Promise((_, reject) => {
    const server = createServer((socket: Socket) => {
      // A client that vanishes resets the connection; its session ends with the socket's close.
      socket.on("error", () => socket.destroy());
      const session = new Session(adapterHost(), () => socket.end());
      session.setRunAsServer(true);
      session.start(socket, socket);
    });
    server.on("error", ({ message }) => reject(new UsageError(`cannot serve port ${port}: ${message}`)));
    server.listen(port, "127.0.0.1", () => {
      console.error(`listening on 127.0.0.1:${(server.address() as AddressInfo).port}`);
    });
  });
}
