/** An error of the client: a wrong request, or one at the wrong time. */
export class RequestError extends Error {
  /** Whether a person should see it. */
  readonly showUser: boolean;

  constructor(message: string, showUser = false) {
    super(message);
    this.showUser = showUser;
  }
}
