# Varnish 7 o posterior delante del portal de un difusor de Pregón. Lo imprime «pregon difusor configura varnish».
#
# Guarda cada página el tiempo que diga «s-maxage», o hasta que el difusor la purgue al cambiar de corte. Si el origen
# falla, lo que se tenía se sigue mostrando. Los lectores preguntan siempre si hay algo nuevo, y contesta este equipo.
vcl 4.1;

import std;
import purge;

backend origen {
    .host = "@ANFITRION@";
    .port = "@PUERTO@";
    .host_header = "@NOMBRE@";
    .connect_timeout = 3s;
    .first_byte_timeout = 20s;
    .between_bytes_timeout = 10s;
    .max_connections = 200;
}

# Desde dónde se purga; además hay que traer el secreto. Detrás de otro equipo que cifra, todos parecen venir de él.
acl purgan {
@QUIENES@
}

sub vcl_init {
    # Se lee una vez: después de cambiarlo, «varnishreload».
    if (std.fileread("@SECRETO@") !~ "^[!-~]{20,200}\s*$") {
        return (fail("El secreto de @SECRETO@ debe ser una palabra de 20 a 200 letras, cifras o signos."));
    }
}

sub vcl_recv {
    unset req.http.Proxy;
    # Lo que sigue a «?» no cambia ningún archivo: con ello cualquiera haría preguntar otra vez al origen.
    set req.url = regsub(regsub(req.url, "\?.*$", ""), "/index\.html$", "/");

    if (req.method == "PURGE" || req.method == "BAN") {
        if (client.ip !~ purgan || req.http.X-Pregon-Purga != regsub(std.fileread("@SECRETO@"), "\s+$", "")) {
            return (synth(403, "Purga no permitida"));
        }
        if (req.method == "BAN") {
            # Todo lo que cambia de un corte a otro, debajo de una carpeta, de una vez.
            if (req.url !~ "^/([A-Za-z0-9._~-]+/)*$") {
                return (synth(400, "Se purga una carpeta"));
            }
            if (!std.ban("obj.http.X-Pregon-Mutable == si && obj.http.X-Pregon-Ruta ~ ^" + req.url)) {
                return (synth(500, "Purga sin hacer"));
            }
            return (synth(200, "Purgado"));
        }
        set req.hash_ignore_busy = true;
        return (hash);
    }
    unset req.http.X-Pregon-Purga;

    if (req.method != "GET" && req.method != "HEAD") {
        return (synth(405, "Sólo se lee"));
    }
    # Sin fechas: sólo decide la etiqueta (ETag).
    unset req.http.If-Modified-Since;
    unset req.http.Cookie;
    if (req.http.Authorization) {
        return (pass);
    }
    # Lo vencido o purgado se pide de nuevo antes de contestar; sólo si el origen falla vale lo anterior.
    if (req.restarts == 0) {
        set req.grace = 0s;
    } else {
        set req.grace = @RESPALDO@;
    }
    return (hash);
}

sub vcl_hash {
    hash_data(req.url);
    return (lookup);
}

sub pregon_purga {
    if (req.http.X-Pregon-Olvida) {
        # Se retiró: no debe volver a verse.
        set req.http.X-Pregon-Purgados = purge.hard();
    } else {
        # Conserva lo anterior sólo para cuando el origen no conteste.
        set req.http.X-Pregon-Purgados = purge.soft(0s, @RESPALDO@, -1s);
    }
    return (synth(200, "Purgado"));
}

sub vcl_hit {
    if (req.method == "PURGE") {
        call pregon_purga;
    }
    return (deliver);
}

sub vcl_miss {
    if (req.method == "PURGE") {
        call pregon_purga;
    }
    return (fetch);
}

sub vcl_backend_fetch {
    unset bereq.http.X-Forwarded-For;
    set bereq.http.X-Pregon-Inicio = std.time2real(now, 0.0);
@AL_ORIGEN@
    return (fetch);
}

sub vcl_backend_response {
    if (bereq.uncacheable) {
        return (deliver);
    }
    if (beresp.status >= 500) {
        # Sin dejar nada en la caché: aun vencido, taparía lo que se tenía.
        return (abandon);
    }
@AUSENTES@
    unset beresp.http.Set-Cookie;
    if (beresp.http.Vary && beresp.http.Vary != "*") {
        set beresp.http.Vary = "Accept-Encoding";
    }
    unset beresp.http.Last-Modified;
    set beresp.http.X-Pregon-Ruta = bereq.http.X-Pregon-Ruta;
    if (beresp.http.Cache-Control ~ "(?i)no-store|private" || beresp.http.Vary == "*") {
        set beresp.uncacheable = true;
        set beresp.ttl = 10s;
        return (deliver);
    }
    if (beresp.http.Cache-Control !~ "(?i)immutable") {
        set beresp.http.X-Pregon-Mutable = "si";
        if (beresp.status != 200 || beresp.http.Cache-Control !~ "(?i)s-maxage") {
            # Un origen que no sabe de nosotros, o algo que no está: muy poco tiempo, y la carga no depende de visitas.
            set beresp.ttl = 1s;
        } elsif (std.time2real(now, 0.0) - std.real(bereq.http.X-Pregon-Inicio, 0.0) > @LENTA@) {
            # Lo que tardó pudo salir del origen antes del cambio de corte y llegar después de la purga.
            set beresp.ttl = 2s;
        }
    }
    set beresp.grace = @RESPALDO@;
    set beresp.keep = @RESPALDO@;
    return (deliver);
}

sub vcl_backend_error {
    if (beresp.status != 404) {
        return (abandon);
    }
    set beresp.http.Content-Type = "text/html; charset=utf-8";
    set beresp.http.Cache-Control = "no-store";
    set beresp.http.X-Pregon-Mutable = "si";
    set beresp.http.X-Pregon-Ruta = bereq.http.X-Pregon-Ruta;
    set beresp.ttl = 1s;
    set beresp.grace = @RESPALDO@;
    set beresp.body = {"<!doctype html><html lang="es-MX"><meta charset="utf-8"><title>No está</title>
<p>Esta página no existe, o todavía no se publica.</p></html>
"};
    return (deliver);
}

sub pregon_encabezados {
    unset resp.http.Server;
@ENCABEZADOS@
}

sub vcl_deliver {
    # A quien lee no se le promete tiempo alguno: preguntará siempre, y aquí se le contesta.
    set resp.http.Cache-Control = regsub(resp.http.Cache-Control, "(?i),?\s*s-maxage=[0-9]+", "");
    set resp.http.X-Cache = "MISS";
    if (obj.hits > 0) {
        set resp.http.X-Cache = "HIT";
    }
    unset resp.http.Age;
    unset resp.http.Via;
    unset resp.http.X-Varnish;
    unset resp.http.X-Pregon-Ruta;
    unset resp.http.X-Pregon-Mutable;
    unset resp.http.x-amz-request-id;
    unset resp.http.x-amz-id-2;
    unset resp.http.x-amz-meta-pregon-sha256;
    unset resp.http.x-amz-meta-pregon-de;
    call pregon_encabezados;
    return (deliver);
}

sub vcl_synth {
    if (resp.status == 503 && req.restarts == 0 && (req.method == "GET" || req.method == "HEAD")) {
        # El origen falló: se busca otra vez, y vale lo que se tenía.
        return (restart);
    }
    set resp.http.Content-Type = "text/plain; charset=utf-8";
    set resp.http.Cache-Control = "no-store";
    set resp.body = resp.reason + {"
"};
    if (resp.status == 503) {
        set resp.http.Content-Type = "text/html; charset=utf-8";
        set resp.http.Retry-After = "5";
        set resp.body = {"<!doctype html><html lang="es-MX"><meta charset="utf-8"><title>Un momento</title>
<p>La página no está disponible en este momento. Intente de nuevo en unos segundos.</p></html>
"};
    }
    if (resp.status == 405) {
        set resp.http.Allow = "GET, HEAD";
    }
    if (req.http.X-Pregon-Purgados) {
        set resp.http.X-Pregon-Purgados = req.http.X-Pregon-Purgados;
    }
    call pregon_encabezados;
    return (deliver);
}
