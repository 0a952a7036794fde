/* assets: the files of the page as text, made from those beside this header */
#ifndef WEB_ASSETS_H
#define WEB_ASSETS_H

extern const char web_page_html[], web_app_css[], web_app_js[], web_icon_svg[];

#endif
