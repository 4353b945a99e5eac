/** Lets everything run that waits: messages, timers, the screen. Works in Node and in browsers. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 0);
  });
}
