// Visita: la portada de cada carpeta, y nada de lo privado. Runtime: cloudfront-js-2.0.
function handler(event) {
  var request = event.request;
  var path;
  try {
    path = decodeURIComponent(request.uri);
  } catch (wrong) {
    return { statusCode: 400, statusDescription: 'Bad Request' };
  }
  if (/^\/+historico(\/|$)/.test(path) || path.indexOf('/../') >= 0) {
    return { statusCode: 404, statusDescription: 'Not Found' };
  }
  if (request.uri.slice(-1) === '/') {
    request.uri += 'index.html';
  }
  return request;
}
