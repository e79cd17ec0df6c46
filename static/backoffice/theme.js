/* Runs before the first paint: the theme is the reader's choice, else the system's. */
(function () {
  "use strict";
  const key = "steward-theme";
  const system = window.matchMedia("(prefers-color-scheme: dark)");

  function chosen() {
    try {
      return localStorage.getItem(key) || "auto";
    } catch (away) {
      return "auto";
    }
  }

  function apply() {
    const theme = chosen();
    const dark = theme === "dark" || (theme === "auto" && system.matches);
    document.documentElement.classList.toggle("dark", dark);
    document.documentElement.dataset.theme = theme;
  }

  window.stewardTheme = {
    chosen: chosen,
    set: function (theme) {
      // The pages at /accounts/ have no scripts: they are told by a cookie.
      document.cookie = "theme=" + theme + "; path=/accounts/; max-age=31536000; samesite=lax";
      try {
        localStorage.setItem(key, theme);
      } catch (away) {
        document.documentElement.dataset.theme = theme;
      }
      apply();
    },
  };
  system.addEventListener("change", apply);
  apply();
})();
