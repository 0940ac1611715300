export default function ({ data, parentElement }) {
  const find = (what) => parentElement.querySelector(what);
  const [image, button, slider, output, caption] = ["img", "button", "input", "output", "figcaption"].map(find);
  const last = data.frames.length - 1;
  let timer = null;

  function show(index) {
    slider.value = index;
    image.src = data.frames[index];
    output.textContent = `${data.steps[index]} / ${data.steps[last]}`;
    caption.textContent = data.captions[index];
  }
  function pause() {
    clearInterval(timer);
    timer = null;
    button.textContent = "Play";
  }
  function start() {
    if (Number(slider.value) >= last) show(0);
    button.textContent = "Pause";
    timer = setInterval(() => (Number(slider.value) < last ? show(Number(slider.value) + 1) : pause()), 80);
  }

  slider.max = last;
  find(".marks").replaceChildren(
    ...data.marks.map((step) => {
      const mark = document.createElement("i");
      mark.style.left = `${(100 * step) / Math.max(1, data.steps[last])}%`;
      return mark;
    }),
  );
  button.onclick = () => (timer ? pause() : start());
  slider.oninput = () => {
    pause();
    show(Number(slider.value));
  };
  pause();
  show(0);
  return pause;
}
