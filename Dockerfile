# docker build -t pcviz . && docker run -p 8501:8501 -v pcviz:/data pcviz
FROM python:3.13-slim AS wheel
WORKDIR /source
RUN pip install --no-cache-dir hatchling
COPY . .
RUN python -m hatchling build -t wheel -d /wheel

FROM python:3.13-slim
ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY requirements.txt /tmp/
RUN pip install --only-binary :all: -r /tmp/requirements.txt
RUN --mount=type=bind,from=wheel,source=/wheel,target=/wheel pip install --no-deps /wheel/*.whl
# Runs, and what was compiled for them, outlive the container on the volume.
RUN useradd --create-home --home-dir /data --uid 1000 pcviz
USER pcviz
WORKDIR /data
VOLUME /data
# The log names the address that a browser on this machine uses; by itself, Streamlit would ask another host for one.
ENV PCVIZ_DATABASE=sqlite:////data/pcviz.db STREAMLIT_SERVER_HEADLESS=true STREAMLIT_BROWSER_SERVER_ADDRESS=localhost
EXPOSE 8501
HEALTHCHECK --start-period=60s CMD python -c "from urllib.request import urlopen; urlopen( \
    'http://127.0.0.1:8501${STREAMLIT_SERVER_BASE_URL_PATH:+/$STREAMLIT_SERVER_BASE_URL_PATH}/_stcore/health', timeout=5)"
CMD ["pcviz", "serve", "--address", "0.0.0.0"]
