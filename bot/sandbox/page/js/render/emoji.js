// Emoji shortcodes that alert bots use, as unicode. An unknown one stays as it was written.

const TABLE = `
+1 👍|thumbsup 👍|-1 👎|thumbsdown 👎|white_check_mark ✅|heavy_check_mark ✔️|ballot_box_with_check ☑️|x ❌|negative_squared_cross_mark ❎
warning ⚠️|rotating_light 🚨|fire 🔥|bell 🔔|no_bell 🔕|exclamation ❗|question ❓|bangbang ‼️|grey_exclamation ❕|red_circle 🔴|large_orange_circle 🟠
large_yellow_circle 🟡|large_green_circle 🟢|large_blue_circle 🔵|large_purple_circle 🟣|white_circle ⚪|black_circle ⚫|large_red_square 🟥|large_orange_square 🟧
large_yellow_square 🟨|large_green_square 🟩|large_blue_square 🟦|hourglass ⌛|hourglass_flowing_sand ⏳|alarm_clock ⏰|stopwatch ⏱️|clock1 🕐|calendar 📅|date 📅
zzz 💤|sleeping 😴|eyes 👀|mag 🔍|mag_right 🔎|link 🔗|lock 🔒|unlock 🔓|key 🔑|shield 🛡️|hammer_and_wrench 🛠️|wrench 🔧|gear ⚙️|bulb 💡|memo 📝|pencil ✏️
bar_chart 📊|chart_with_upwards_trend 📈|chart_with_downwards_trend 📉|clipboard 📋|page_facing_up 📄|books 📚|book 📖|bookmark 🔖|package 📦|moneybag 💰|credit_card 💳
money_with_wings 💸|dollar 💵|shopping_cart 🛒|phone ☎️|iphone 📱|email 📧|inbox_tray 📥|outbox_tray 📤|speech_balloon 💬|loudspeaker 📢|mega 📣|rocket 🚀|tada 🎉
sparkles ✨|star ⭐|boom 💥|zap ⚡|snowflake ❄️|sunny ☀️|cloud ☁️|rain_cloud 🌧️|thermometer 🌡️|robot_face 🤖|ghost 👻|skull 💀|wave 👋|pray 🙏|clap 👏|muscle 💪|raised_hands 🙌
point_right 👉|point_left 👈|point_up ☝️|point_down 👇|ok_hand 👌|raised_hand ✋|smile 😄|slightly_smiling_face 🙂|grinning 😀|joy 😂|thinking_face 🤔|sob 😭|cry 😢
heart ❤️|blue_heart 💙|green_heart 💚|broken_heart 💔|100 💯|arrow_right ➡️|arrow_left ⬅️|arrow_up ⬆️|arrow_down ⬇️|arrows_counterclockwise 🔄|repeat 🔁|leftwards_arrow_with_hook ↩️
no_entry ⛔|no_entry_sign 🚫|octagonal_sign 🛑|construction 🚧|information_source ℹ️|heavy_plus_sign ➕|heavy_minus_sign ➖|double_vertical_bar ⏸️|arrow_forward ▶️|black_square_for_stop ⏹️
bust_in_silhouette 👤|busts_in_silhouette 👥|office 🏢|house 🏠|globe_with_meridians 🌐|earth_americas 🌎|test_tube 🧪|microscope 🔬|dart 🎯|trophy 🏆|checkered_flag 🏁|triangular_flag_on_post 🚩`;

const EMOJI = new Map(TABLE.trim().split(/[|\n]/).map((pair) => pair.trim().split(" ")));

export const emoji = (name) => EMOJI.get(name) || null;

/** A rich_text emoji element may carry the code points themselves. */
export function fromUnicode(codes) {
  try {
    return String.fromCodePoint(...String(codes).split("-").map((c) => parseInt(c, 16)));
  } catch {
    return null;
  }
}
