/** A worker that answers questions one after the other. */
export class Thread {
  /** @param {string} file the worker's file, beside the page */
  constructor(file) {
    /** @type {Map<number, {resolve: (answer: any) => void, reject: (fault: Error) => void}>} */
    this.waiting = new Map();
    this.asked = 0;
    this.worker = new Worker(new URL(file, document.baseURI), { type: "module" });
    this.ready = new Promise((resolve, reject) => {
      this.worker.onerror = (event) => reject(new Error(event.message));
      this.worker.onmessage = ({ data }) => {
        if (data.id !== undefined) {
          const asked = this.waiting.get(data.id);
          this.waiting.delete(data.id);
          if ("fault" in data) asked?.reject(new Error(data.fault));
          else asked?.resolve(data.answer);
        } else if (data.ready) resolve(true);
        else reject(new Error(data.fault));
      };
    });
  }

  /**
   * The answer to a question.
   * @param {string} question
   * @param {any} given
   * @returns {Promise<any>}
   */
  ask(question, given) {
    const id = ++this.asked;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.worker.postMessage({ id, question, given });
    });
  }
}
