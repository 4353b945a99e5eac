/** The least of a client of the Debug Adapter Protocol: sends requests, and waits for answers and events. */
import type { Readable, Writable } from "node:stream";

export interface Message {
  readonly type: string;
  readonly request_seq?: number;
  readonly command?: string;
  readonly event?: string;
  readonly success?: boolean;
  readonly message?: string;
  readonly body?: Record<string, unknown>;
}

export class WireClient {
  readonly messages: Message[] = [];
  private readonly output: Writable;
  private text = "";
  private waiting: (() => void)[] = [];
  private seq = 0;
  /** Messages before this one were waited for. */
  private taken = 0;

  constructor(input: Readable, output: Writable) {
    this.output = output;
    input.setEncoding("latin1");
    input.on("data", (text: string) => this.take(text));
  }

  /** Sends a request. Returns its number. */
  request(command: string, args: object = {}): number {
    const body = JSON.stringify({ seq: ++this.seq, type: "request", command, arguments: args });
    this.output.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
    return this.seq;
  }

  /** The body of the answer to a request; throws where it failed. */
  async ask(command: string, args: object = {}): Promise<Record<string, unknown>> {
    const seq = this.request(command, args);
    const answer = await this.wait((message) => message.request_seq === seq);
    if (!answer.success) throw new Error(`${command}: ${answer.message}`);
    return answer.body ?? {};
  }

  /** The first message ever that fits. */
  async wait(fits: (message: Message) => boolean): Promise<Message> {
    for (;;) {
      const found = this.messages.find(fits);
      if (found) return found;
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }

  /** The next event of that name. */
  async next(event: string): Promise<Message> {
    const from = this.taken;
    const found = await this.wait((message) => this.messages.indexOf(message) >= from && message.event === event);
    this.taken = this.messages.indexOf(found) + 1;
    return found;
  }

  response(command: string): Promise<Message> {
    return this.wait((message) => message.type === "response" && message.command === command);
  }

  event(event: string): Promise<Message> {
    return this.wait((message) => message.event === event);
  }

  private take(text: string): void {
    this.text += text;
    for (let head = /^Content-Length: (\d+)\r\n\r\n/.exec(this.text); head; ) {
      const end = head[0].length + Number(head[1]);
      if (this.text.length < end) return;
      this.messages.push(JSON.parse(this.text.slice(head[0].length, end)));
      this.text = this.text.slice(end);
      for (const resolve of this.waiting.splice(0)) resolve();
      head = /^Content-Length: (\d+)\r\n\r\n/.exec(this.text);
    }
  }
}
