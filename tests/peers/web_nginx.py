#!/usr/bin/python3
"""nginx with two files, for tests of the client: web_nginx.py NGINX PORT FOLDER"""
import os
import pathlib
import sys

program, port, folder = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
(folder / "hello").write_text("hello\n")
(folder / "big").write_text("0123456789" * 30000)
temporary = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in
                    ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
(folder / "nginx.conf").write_text(f"""
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr;
events {{ }}
http {{
    access_log off;
    {temporary}
    server {{ listen 127.0.0.1:{port}; root {folder}; }}
}}
""")
os.execv(program, [program, "-e", "stderr", "-c", str(folder / "nginx.conf")])
