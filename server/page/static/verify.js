// The form /verify works without this file. It lets people drop files on the form, and
// shows how much has been sent.
(function () {
  "use strict";

  var form = document.getElementById("upload");
  var signature = document.getElementById("signature");
  var content = document.getElementById("content");
  var button = form.querySelector("button");
  var sending = document.getElementById("sending");
  var progress = document.getElementById("progress");
  var status = document.getElementById("status");

  var english = document.documentElement.lang === "en";

  // say puts a sentence, in the language of the page, where screen readers announce it.
  function say(ru, en) {
    status.textContent = english ? en : ru;
  }

  function looksLikeSignature(file) {
    return /\.(sig|sgn|sign|p7s|p7m|p7b|cms|pkcs7)$/i.test(file.name);
  }

  function put(input, file) {
    var list = new DataTransfer();
    list.items.add(file);
    input.files = list.files;
  }

  // choose tells the signature from the document: by the name, or else by the length.
  function choose(files) {
    if (files.length > 2) {
      say("Перетащите не больше двух файлов: подпись и документ.", "Drop no more than two files: the signature and the document.");
      return;
    }
    if (files.length === 1) {
      put(looksLikeSignature(files[0]) || content.files.length > 0 ? signature : content, files[0]);
    } else {
      var first = looksLikeSignature(files[0]), second = looksLikeSignature(files[1]);
      var swap = first === second ? files[0].size > files[1].size : second;
      put(signature, files[swap ? 1 : 0]);
      put(content, files[swap ? 0 : 1]);
    }
    var names = [signature, content].map(function (i) { return i.files.length > 0 ? i.files[0].name : "—"; });
    say("Подпись: " + names[0] + ". Документ: " + names[1] + ".", "Signature: " + names[0] + ". Document: " + names[1] + ".");
  }

  ["dragenter", "dragover"].forEach(function (type) {
    document.addEventListener(type, function (event) {
      event.preventDefault();
      form.classList.add("over");
    });
  });
  ["dragleave", "drop"].forEach(function (type) {
    document.addEventListener(type, function (event) {
      event.preventDefault();
      if (type === "drop" || event.relatedTarget === null) {
        form.classList.remove("over");
      }
    });
  });
  document.addEventListener("drop", function (event) {
    if (event.dataTransfer.files.length > 0) {
      choose(Array.prototype.slice.call(event.dataTransfer.files));
    }
  });

  function rest(on) {
    button.disabled = !on;
    sending.hidden = on;
  }

  form.addEventListener("submit", function (event) {
    event.preventDefault();
    var request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.upload.addEventListener("progress", function (e) {
      if (e.lengthComputable) {
        progress.value = Math.floor(100 * e.loaded / e.total);
        progress.textContent = progress.value + " %";
      }
    });
    request.upload.addEventListener("load", function () {
      progress.removeAttribute("value");
      say("Файлы переданы, проверяем…", "The files have arrived and are being checked…");
    });
    request.addEventListener("load", function () {
      document.open();
      document.write(request.responseText); // a page of this server, under the policy of this page
      document.close();
    });
    request.addEventListener("error", function () {
      rest(true);
      say("Передать файлы не удалось. Проверьте соединение и отправьте их снова.", "The files could not be sent. Check the connection and send them again.");
    });
    progress.value = 0;
    rest(false);
    say("Передаём файлы…", "Sending the files…");
    request.send(new FormData(form));
  });

  window.addEventListener("pageshow", function () { rest(true); });

  var hint = document.createElement("p");
  hint.className = "hint drop";
  hint.textContent = form.dataset.drop;
  form.insertBefore(hint, form.firstChild);
})();
