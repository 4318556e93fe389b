# Imagen de un difusor (DGO-II-c, MOR-A1-1.2): docs/operacion/instalacion.md. Se construye con: docker build -t pregon .
# scripts/dockerfile_pasos.py ejecuta estos mismos pasos donde no hay Docker; así se prueban.
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS obra
WORKDIR /obra
# «nube» lleva además lo que purga CloudFront y pone las reglas de un depósito: --build-arg PAQUETES=nube.
ARG PAQUETES=difusor
COPY requirements/construir.txt requirements/difusor.txt requirements/nube.txt requirements/
RUN python3 -m venv /obra/herramientas \
 && /obra/herramientas/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements/construir.txt
# Sin pip ni nada que construya: lo que corre de noche es sólo esto.
RUN python3 -m venv --without-pip /opt/pregon \
 && /obra/herramientas/bin/pip --python /opt/pregon/bin/python install --no-cache-dir --disable-pip-version-check --require-hashes -r "requirements/$PAQUETES.txt"
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN /obra/herramientas/bin/pip wheel --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir ruedas . \
 && /obra/herramientas/bin/pip --python /opt/pregon/bin/python install --no-cache-dir --disable-pip-version-check --no-index --no-deps ruedas/*.whl

FROM ${BASE}
RUN groupadd --gid 10001 pregon \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /srv/pregon --shell /usr/sbin/nologin pregon \
 && install -d -o pregon -g pregon -m 0755 /srv/pregon
COPY --from=obra /opt/pregon /opt/pregon
ENV PATH=/opt/pregon/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER pregon
WORKDIR /srv/pregon
VOLUME ["/srv/pregon"]
EXPOSE 8080 8443
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=20s --start-period=5m --retries=3 CMD ["pregon", "difusor", "estado", "/srv/pregon", "--json"]
ENTRYPOINT ["pregon", "difusor"]
CMD ["opera", "/srv/pregon"]
