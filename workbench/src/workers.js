// The editor's workers, as files of this host. Their names are put in by the build.

const FILES = WORKERS;

globalThis.MonacoEnvironment = {
  getWorker(_id, label) {
    return new Worker(new URL(`./${FILES[label] ?? FILES.editor}`, import.meta.url));
  },
};
