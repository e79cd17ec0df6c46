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
    htmx.ajax("GET", link.getAttribute("href"), { target: modalContent, swap: "innerHTML" });
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
    }).finally(function () {
      button.disabled = false;
    });
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

  function closeMenus() {
    document.querySelectorAll("details.sw-menu[open]").forEach((menu) => menu.removeAttribute("open"));
  }

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

  function moveIn(container, input, event) {
    const links = Array.from(container.querySelectorAll("a"));
    if (!links.length) return;
    const here = links.indexOf(document.activeElement);
    event.preventDefault();
    if (event.key === "ArrowDown") links[Math.min(here + 1, links.length - 1)].focus();
    else if (here <= 0) input.focus();
    else links[here - 1].focus();
  }

  document.addEventListener("keydown", function (event) {
    if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      openPalette();
      return;
    }
    const search = document.querySelector("[data-slash]");
    if (event.key === "/" && !typing() && search) {
      event.preventDefault();
      search.focus();
      search.select();
      return;
    }
    if (event.key === "Escape") {
      closeMenus();
      clearSuggestions();
    }
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (palette.open) moveIn(paletteResults, paletteInput, event);
      else if (event.target.closest && event.target.closest(".sw-search")) {
        moveIn(document.getElementById("suggestions"), search, event);
      }
    }
    if (event.key === "Enter" && palette.open && document.activeElement === paletteInput) {
      const first = paletteResults.querySelector("a");
      event.preventDefault();
      if (first) location.href = first.href;
    }
  });

  function clearSuggestions() {
    const box = document.getElementById("suggestions");
    if (box) box.replaceChildren();
  }

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
