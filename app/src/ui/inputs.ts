/** Photos that a user takes, chooses, drops or pastes. */
import { byId } from "./dom.ts";

type Receive = (files: readonly File[]) => void;

export function listenForPhotos(receive: Receive): void {
  for (const id of ["take", "choose"]) listenToInput(byId<HTMLInputElement>(id), receive);
  listenToDrops(receive);
  document.addEventListener("paste", (event) => receiveAll(event.clipboardData, receive));
}

function listenToInput(input: HTMLInputElement, receive: Receive): void {
  input.addEventListener("change", () => {
    const files = [...(input.files ?? [])];
    input.value = ""; // so that the same photo can be chosen again
    if (files.length) receive(files);
  });
}

function listenToDrops(receive: Receive): void {
  const target = document.documentElement;
  const mark = (isOver: boolean) => target.classList.toggle("dropping", isOver);
  target.addEventListener("dragover", (event) => {
    event.preventDefault();
    mark(event.dataTransfer?.types.includes("Files") ?? false);
  });
  target.addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) mark(false);
  });
  target.addEventListener("drop", (event) => {
    event.preventDefault();
    mark(false);
    receiveAll(event.dataTransfer, receive);
  });
}

function receiveAll(data: DataTransfer | null, receive: Receive): void {
  const files = [...(data?.files ?? [])];
  if (files.length) receive(files);
}
