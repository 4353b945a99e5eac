/** Lets everything run that waits: messages, timers, the screen. Works in Node and in browsers. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => {
    // Node runs all timers that are due before it looks at messages, and those of two sessions would keep each other due for ever.
    if (typeof setImmediate === "function") setImmediate(resolve);
    else setTimeout(resolve, 0);
  });
}
