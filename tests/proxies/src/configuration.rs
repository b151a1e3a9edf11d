//! What each proxy is told. As little as a reverse proxy needs, and the product's defaults for all
//! else: they are what is in the field.

use std::net::SocketAddr;

use crate::{Proxy, SetUp};

/// Where a proxy itself answers, and with what: the name of its folder, which no other has.
pub(crate) const WHO: &str = "/who-answers";

pub(crate) struct Configuration<'a> {
    pub(crate) port: u16,
    pub(crate) origin: SocketAddr,
    pub(crate) set_up: SetUp,
    /// The answer at [`WHO`].
    pub(crate) name: &'a str,
}

impl Configuration<'_> {
    pub(crate) fn of(&self, proxy: Proxy) -> String {
        match proxy {
            Proxy::Nginx => self.nginx(),
            Proxy::Apache => self.apache(),
            Proxy::HaProxy => self.haproxy(),
        }
    }

    fn nginx(&self) -> String {
        let Self {
            port, origin, name, ..
        } = self;
        let gzip = match self.set_up {
            SetUp::Plain => "",
            SetUp::Gzip => "gzip on; gzip_types application/json application/problem+json;",
        };
        format!(
            "daemon off;
            worker_processes 1;
            pid pid;
            error_log stderr;
            events {{ worker_connections 100; }}
            http {{
                access_log off;
                client_body_temp_path client-body;
                proxy_temp_path proxy;
                fastcgi_temp_path fastcgi;
                scgi_temp_path scgi;
                uwsgi_temp_path uwsgi;
                {gzip}
                upstream origin {{ server {origin}; keepalive 8; }}
                server {{
                    listen 127.0.0.1:{port};
                    location = {WHO} {{ return 200 '{name}'; }}
                    location / {{
                        proxy_pass http://origin;
                        proxy_http_version 1.1;
                        proxy_set_header Connection '';
                    }}
                }}
            }}"
        )
    }

    fn apache(&self) -> String {
        let Self {
            port, origin, name, ..
        } = self;
        let gzip = match self.set_up {
            SetUp::Plain => "",
            SetUp::Gzip => {
                "LoadModule filter_module ${MODULES}/mod_filter.so
                LoadModule deflate_module ${MODULES}/mod_deflate.so
                AddOutputFilterByType DEFLATE application/json application/problem+json"
            }
        };
        format!(
            "ServerName localhost
            Listen 127.0.0.1:{port}
            PidFile pid
            ErrorLog /dev/stderr
            DefaultRuntimeDir .
            LoadModule mpm_event_module ${{MODULES}}/mod_mpm_event.so
            LoadModule authz_core_module ${{MODULES}}/mod_authz_core.so
            LoadModule alias_module ${{MODULES}}/mod_alias.so
            LoadModule proxy_module ${{MODULES}}/mod_proxy.so
            LoadModule proxy_http_module ${{MODULES}}/mod_proxy_http.so
            {gzip}
            Redirect 404 {WHO}
            ErrorDocument 404 '{name}'
            ProxyPass {WHO} !
            ProxyPass / http://{origin}/
            "
        )
    }

    fn haproxy(&self) -> String {
        let Self {
            port, origin, name, ..
        } = self;
        let gzip = match self.set_up {
            SetUp::Plain => "",
            SetUp::Gzip => {
                "compression algo gzip
                compression type application/json application/problem+json"
            }
        };
        format!(
            "global
                maxconn 100
            defaults
                mode http
                timeout connect 5s
                timeout client 60s
                timeout server 60s
            frontend relay
                bind 127.0.0.1:{port}
                http-request return status 200 content-type text/plain string {name} if {{ path {WHO} }}
                {gzip}
                default_backend origin
            backend origin
                server origin {origin}
            "
        )
    }
}
