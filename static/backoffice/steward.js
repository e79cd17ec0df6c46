/* What the pages do beside links and forms: dialogs, palette, suggestions, theme, copying. */
(function () {
  "use strict";
  const modal = document.getElementById("modal");
  const modalContent = document.getElementById("modal-content");
  const palette = document.getElementById("palette");
  const paletteInput = palette.querySelector("input");
  const paletteResults = document.getElementById("palette-results");
  let opener = null;

  /* --- dialogs: a link that opens in place; without this script it opens as a page --- */

  function openDialog(link) {
    opener = link;
    closeMenus();
    htmx.ajax("GET", link.getAttribute("href"), { target: modalContent, swap: "innerHTML" }).catch(() => {});
  }

  document.body.addEventListener("htmx:afterSwap", function (event) {
    if (event.target !== modalContent) return;
    if (!modal.open) modal.showModal();
    showFields(modalContent);
    const wrong = modalContent.querySelector(".sw-bad input, .sw-bad select, .sw-bad textarea");
    const first = wrong || modalContent.querySelector(".sw-field :is(textarea, input, select), .sw-button");
    if (first) first.focus();
  });

  modal.addEventListener("submit", function (event) {
    const form = event.target.closest("[data-dialog-form]");
    if (!form) return;
    event.preventDefault();
    const button = form.querySelector("button[type=submit]");
    if (button.disabled) return;
    button.disabled = true;
    htmx.ajax("POST", form.getAttribute("action"), {
      target: modalContent,
      swap: "innerHTML",
      values: Object.fromEntries(collected(form)),
    })
      .catch(() => {}) // said by sayFailed
      .finally(function () {
        button.disabled = false;
      });
  });

  function paragraph(kind, text) {
    const made = document.createElement("p");
    made.className = kind;
    made.textContent = text;
    return made;
  }

  /* A failure's page does not belong into a dialog: one sentence above what was typed, which stays. */
  function sayFailed() {
    const said = paragraph("sw-error", "That did not work, and nothing was changed half-way. Try again in a moment.");
    said.setAttribute("role", "alert");
    const form = modalContent.querySelector("form");
    modalContent.querySelectorAll(".sw-error").forEach((earlier) => earlier.remove());
    if (form) form.querySelector(".sw-consequence").after(said);
    else modalContent.replaceChildren(said);
    if (!modal.open) modal.showModal();
  }

  modalContent.addEventListener("htmx:beforeSwap", function (event) {
    if (event.detail.xhr.status < 500 || event.detail.serverResponse.startsWith("<div")) return;
    event.detail.shouldSwap = false;
    sayFailed();
  });
  document.body.addEventListener("htmx:sendError", function (event) {
    if (event.target === document.body || modal.contains(event.target)) sayFailed();
  });

  /* A field that belongs to one choice of another is hidden while that is not chosen. */
  function showFields(inside) {
    inside.querySelectorAll("[data-only-with]").forEach(function (field) {
      const [name, values] = field.dataset.onlyWith.split("=");
      const chosen = inside.querySelector(`[name="${name}"]`);
      field.closest(".sw-field").hidden = !values.split("|").includes(chosen.value);
    });
  }

  document.addEventListener("change", function (event) {
    const form = event.target.closest(".sw-form");
    if (form) showFields(form);
  });
  document.querySelectorAll(".sw-alone").forEach(showFields);

  /* Several values of one name (check boxes) stay together. */
  function collected(form) {
    const found = new Map();
    for (const [name, value] of new FormData(form).entries()) {
      const before = found.get(name);
      if (before === undefined) found.set(name, value);
      else found.set(name, Array.isArray(before) ? [...before, value] : [before, value]);
    }
    return found;
  }

  modal.addEventListener("close", function () {
    modalContent.replaceChildren();
    if (opener && opener.isConnected) opener.focus();
    opener = null;
  });

  modal.addEventListener("mousedown", function (event) {
    if (event.target === modal) modal.close();
  });

  /* --- clicks --- */

  document.addEventListener("click", function (event) {
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey;
    const link = event.target.closest("[data-dialog]");
    if (link && plain) {
      event.preventDefault();
      openDialog(link);
      return;
    }
    if (event.target.closest("[data-dialog-close]") && modal.open) {
      event.preventDefault();
      modal.close();
      return;
    }
    if (event.target.closest("[data-palette-open]")) return openPalette();
    if (event.target.closest("[data-theme-next]")) return nextTheme();
    const copy = event.target.closest("[data-copy]");
    if (copy) {
      event.preventDefault();
      navigator.clipboard.writeText(copy.dataset.copy).then(function () {
        copy.classList.add("sw-copied");
        setTimeout(() => copy.classList.remove("sw-copied"), 1200);
      });
      return;
    }
    if (!event.target.closest(".sw-menu")) closeMenus();
    if (!event.target.closest(".sw-search")) clearSuggestions();
    const row = event.target.closest("tr[data-href]");
    if (row && plain && !event.target.closest("a, button, input") && !String(getSelection())) {
      location.href = row.dataset.href;
    }
  });

  /* What a cell is too narrow for stands in its title, once the pointer is there. */
  document.addEventListener("mouseover", function (event) {
    const cell = event.target.closest("td, th, .sw-matters li > :first-child");
    if (cell && !cell.title && cell.scrollWidth > cell.clientWidth) cell.title = cell.textContent.trim();
  });

  function closeMenus() {
    document.querySelectorAll("details.sw-menu[open]").forEach((menu) => menu.removeAttribute("open"));
  }

  /* --- a field with a list of what it finds (ARIA: combobox and listbox); the focus stays in the field --- */

  /* `box` is filled by htmx, which waits for a pause in typing and drops the answer to what was typed before.
     With `first` the first line is chosen by itself, and Enter opens it, also where the answer is still on its way. */
  function combobox(input, box, said, first) {
    let at = -1;
    let opens = false;

    const lines = () => Array.from(box.querySelectorAll("[role=option]"));
    const answered = () => {
      const list = box.querySelector("[data-term]");
      return !list || list.dataset.term === input.value.trim();
    };

    function choose(next) {
      const known = lines();
      at = known.length ? (next + known.length) % known.length : -1;
      known.forEach((line, index) => line.setAttribute("aria-selected", String(index === at)));
      if (at < 0) {
        input.removeAttribute("aria-activedescendant");
      } else {
        input.setAttribute("aria-activedescendant", known[at].id);
        known[at].scrollIntoView({ block: "nearest" });
      }
    }

    function clear() {
      box.replaceChildren();
      opens = false;
      filled();
    }

    function filled() {
      const known = lines();
      input.setAttribute("aria-expanded", String(known.length > 0));
      at = -1;
      if (first && known.length) choose(0);
      else input.removeAttribute("aria-activedescendant");
      if (said) said.textContent = !box.childElementCount ? "" : known.length ? known.length + " found" : "Nothing found";
      if (!opens || !answered()) return;
      opens = false;
      if (known.length) open(known[0]);
    }

    function open(line) {
      location.href = line.href;
    }

    box.addEventListener("htmx:afterSwap", filled);
    input.addEventListener("input", () => (opens = false));
    function away() {
      clear();
      box.replaceChildren(paragraph("sw-blank", "The search did not answer. Try again in a moment."));
      if (said) said.textContent = box.textContent;
    }

    box.addEventListener("htmx:beforeSwap", function (event) {
      if (event.detail.xhr.status < 400) return;
      event.detail.shouldSwap = false;
      away();
    });
    input.addEventListener("htmx:sendError", away);
    input.addEventListener("keydown", function (event) {
      const known = lines();
      if ((event.key === "ArrowDown" || event.key === "ArrowUp") && known.length) {
        event.preventDefault();
        choose(event.key === "ArrowDown" ? at + 1 : at < 0 ? known.length - 1 : at - 1);
      } else if (event.key === "Enter" && first) {
        event.preventDefault();
        if (answered() && known.length) open(known[at]);
        else opens = true;
      } else if (event.key === "Enter" && at >= 0) {
        event.preventDefault();
        open(known[at]);
      }
    });
    return clear;
  }

  const search = document.querySelector("[data-slash]");
  const suggestions = document.getElementById("suggestions");
  const clearSuggestions = suggestions ? combobox(search, suggestions, null, false) : function () {};
  combobox(paletteInput, paletteResults, document.getElementById("palette-said"), true);

  /* --- the palette --- */

  function openPalette() {
    closeMenus();
    if (palette.open) return;
    palette.showModal();
    paletteInput.select();
    htmx.trigger(paletteInput, "palette-opened");
  }

  palette.addEventListener("mousedown", function (event) {
    if (event.target === palette) palette.close();
  });

  /* --- keys --- */

  function typing() {
    const at = document.activeElement;
    return at && (at.matches("input, textarea, select") || at.isContentEditable);
  }

  document.addEventListener("keydown", function (event) {
    if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      openPalette();
      return;
    }
    if (event.key === "/" && !typing() && search) {
      event.preventDefault();
      search.focus();
      search.select();
      return;
    }
    if (event.key === "Escape") {
      const menu = document.activeElement.closest("details.sw-menu[open]");
      if (menu) menu.querySelector("summary").focus();
      closeMenus();
      clearSuggestions();
    }
  });

  /* --- filters apply themselves; without this script their button does --- */

  document.querySelectorAll("form[data-autosubmit]").forEach(function (form) {
    form.classList.add("sw-auto");
    form.addEventListener("change", function (event) {
      if (event.target.name !== "q") form.requestSubmit();
    });
    form.addEventListener("submit", function () {
      form.querySelectorAll("input, select").forEach(function (field) {
        if (!field.value) field.disabled = true;
      });
    });
  });
  window.addEventListener("pageshow", function () {
    document.querySelectorAll("form[data-autosubmit] :disabled").forEach((field) => (field.disabled = false));
  });

  /* --- a part that reads itself anew; only while it is looked at, and until its button halts it --- */

  /* htmx keeps the focus where an element of the same id is in the new part; nothing here scrolls. */
  document.querySelectorAll("[data-refresh]").forEach(function (part) {
    const failed = document.getElementById(part.id + "-failed");
    const link = document.querySelector(`[data-refresh-link="${part.id}"]`);
    const every = Number(part.dataset.refresh) * 1000;
    const busy = () => modal.open || palette.open || part.contains(getSelection().anchorNode) && String(getSelection());
    let halted = false;
    let last = Date.now();

    function refresh() {
      last = Date.now();
      htmx.trigger(part, "refresh");
    }

    function showHalted() {
      link.lastChild.textContent = halted ? "Refresh again" : "Halt refreshing";
      link.querySelector(".material-symbols-outlined").textContent = halted ? "play_arrow" : "pause";
    }

    function away(event) {
      if (event.target !== part) return;
      failed.textContent = "It can't be read anew. What stands here is of the time that it says; it is tried again.";
      failed.hidden = false;
    }

    link.setAttribute("role", "button");
    link.addEventListener("click", function (event) {
      event.preventDefault();
      halted = !halted;
      showHalted();
      if (!halted) refresh();
    });
    link.addEventListener("keydown", function (event) {
      if (event.key !== " ") return;
      event.preventDefault();
      link.click();
    });
    part.addEventListener("htmx:beforeSwap", function (event) {
      if (event.detail.xhr.status < 400) return void (failed.hidden = true);
      event.detail.shouldSwap = false;
      away(event);
    });
    part.addEventListener("htmx:sendError", away);
    document.addEventListener("visibilitychange", function () {
      if (!document.hidden && !halted && Date.now() - last >= every) refresh();
    });
    setInterval(function () {
      if (!document.hidden && !halted && !busy() && Date.now() - last >= every) refresh();
    }, 1000);
    showHalted();
  });

  /* --- theme --- */

  const themes = { auto: "contrast", light: "light_mode", dark: "dark_mode" };

  function showTheme() {
    const now = window.stewardTheme.chosen();
    document.querySelectorAll("[data-theme-icon]").forEach((icon) => (icon.textContent = themes[now]));
    const said = now === "auto" ? "as the system" : now;
    document.querySelectorAll("[data-theme-label]").forEach((label) => (label.textContent = "Theme: " + said));
    document.querySelectorAll("[data-theme-next]").forEach((button) => (button.title = "Theme: " + said));
  }

  function nextTheme() {
    const order = ["auto", "light", "dark"];
    window.stewardTheme.set(order[(order.indexOf(window.stewardTheme.chosen()) + 1) % 3]);
    showTheme();
  }

  showTheme();
})();
